"""The section "scale": BN on the input instead of scaling the data."""

import streamlit as st

from bnlab.charts.explanations.equations import EPSILON
from bnlab.charts.explanations.scale import (
    descent_alt,
    descent_figure,
    descent_frame,
    scale_alt,
    scale_figure,
    scale_frame,
)
from bnlab.ui.how_it_works.widgets import choose_number, framed_chart, plain_number, sources

FACTORS = (1e-6, 1e-5, 1e-4, 1e-3, 1 / 255, 1e-2, 1e-1, 1.0)
NAMES = {1 / 255: "1/255", 1.0: "1 (raw)"}
RATES = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
_TEXT = r"""
Multiply a feature by $c$: its mean and its standard deviation are multiplied by $c$ too, and BN divides $c$ out again:
"""
_EQUATION = r"\frac{c\,x-c\,\mu}{\sqrt{c^2\sigma^2+\varepsilon}}\approx\frac{x-\mu}{\sigma}"
_CONDITION = r"""
as long as $c^2\sigma^2$ is far above $\varepsilon$. So BN as the first layer replaces scaling the data, but only for
features that are not tiny.

The other way round, epsilon must not be too small. A pixel that is the same in every training image has variance 0 and
comes out as beta in training. But its moving variance falls towards 0, and at inference its distance from the mean is
multiplied by $1/\sqrt{\sigma^2_\text{moving}+\varepsilon}$: by up to 32 with Keras's $\varepsilon=0.001$, by up to
10,000 with $10^{-8}$. An image that differs there then drowns all other pixels: trained on 500 images of MNIST, where
207 pixels never vary, a network ends with a validation loss of 0.66 with the first epsilon and of 31 with the second.
"""
_NOTES = """
**Try it.** Raw pixels with learning rate 0.01: without BN the loss diverges; with BN on the input it goes down as if
the pixels had been scaled. Pixels × 0.000001 at the same rate: hardly anything is learned either way, because epsilon
is larger than the variance.
"""


def render_scale() -> None:
    """Draw the section."""
    st.markdown(_TEXT)
    st.latex(_EQUATION)
    st.markdown(_CONDITION)
    left, right = st.columns(2, gap="medium")
    with left:
        factor = st.select_slider("Pixels (0 to 255) times", FACTORS, 1.0, format_func=_factor_name, key="how-factor")
    with right:
        rate = choose_number("Learning rate", RATES, 0.01, key="rate")
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Which scales does BN undo?", anchor=False)
        frame = scale_frame()
        framed_chart(scale_figure(frame, factor), key="scale", alt=scale_alt(frame), height=400)
        st.markdown(scale_alt(frame))
    with right:
        st.subheader("Does training survive it?", anchor=False)
        frame = descent_frame(factor, rate)
        framed_chart(descent_figure(frame), key="descent", alt=descent_alt(frame), height=400)
        st.markdown(descent_alt(frame))
    st.markdown(_NOTES)
    sources(
        f"computed here, one linear unit on 8 pixels, gradient descent on all examples; epsilon {EPSILON:g}. "
        "TensorFlow issue 33027 reports features that were too small for BN. "
        "The two validation losses were measured after 20 epochs in batches of 4."
    )


def _factor_name(factor: float) -> str:
    return NAMES.get(factor, plain_number(factor))
