"""The notebook's statements, each with the experiment that tests it."""
