"""Layers: what batch normalization does inside the networks of the comparison."""

from bnlab.ui.layers.page import render_page

render_page()
