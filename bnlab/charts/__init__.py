"""DataFrames to plotly figures: pure functions, prepared and then drawn."""
