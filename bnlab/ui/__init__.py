"""The pages: the only Streamlit code in bnlab."""
