"""The pages' parts: the only Streamlit inside bnlab."""
