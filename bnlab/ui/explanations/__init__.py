"""The sections of the page "How it works", a module each."""
