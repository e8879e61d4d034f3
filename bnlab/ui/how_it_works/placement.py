"""Section "placement": where BN stands, which bias is redundant, and what no activation means."""

import pandas as pd
import streamlit as st

from bnlab.charts.explanations.equations import Floats
from bnlab.charts.explanations.folding import linear_network_difference
from bnlab.charts.explanations.placement import (
    BIASES,
    FUNCTIONS,
    bias_alt,
    bias_figure,
    bias_frame,
    dense_values,
    stage_values,
    stages_alt,
    stages_figure,
    stages_frame,
)
from bnlab.charts.formatting import format_power
from bnlab.specs.choices import ACTIVATIONS, PLACEMENTS
from bnlab.ui.how_it_works.sections import choose_number, framed_chart, question, sources

SIZES = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0)
_TEXT = """
**Before** the activation, BN decides which part of the activation is used: at the start about half of each
unit's values lie on either side of 0, where ReLU bends and sigmoid is steep. **After** the activation, BN decides what
the next layer receives: mean 0 and variance 1. Ioffe and Szegedy put it before; which is better is a matter of
measurement, and the Compare page measures it.
"""
_LINEAR = r"""
In inference mode BN is $a\,x + b$ with fixed $a$ and $b$. So a network of Dense and BN layers *without* activations is
one single linear layer, however deep: here Dense → BN → Dense → BN → Dense and the one Dense layer multiplied together
from it differ by at most **{difference}**. That is the notebook's Approach 1 as it is printed: a linear classifier
(the text says "BN after the activation", but the code has no activation). It can still learn MNIST to about 92 %.
"""


def render_placement() -> None:
    """Draw the section."""
    st.markdown(_TEXT)
    controls, figure = question("What does a layer's output look like, step by step?")
    with controls:
        placement = _choose("Batch normalization", {name: PLACEMENTS[name].title for name in PLACEMENTS}, "placement")
        activation = _choose("Activation", {name: ACTIVATIONS[name].title for name in FUNCTIONS}, "activation")
        size = choose_number("Size of the weights (1 = He normal)", SIZES, 1.0, key="weights")
        st.markdown(
            "Without BN the size of the weights goes through to the next layer. BN takes it away, as long as the "
            "variance of what comes in is well above epsilon."
        )
    dense = dense_values(size)
    with figure:
        frame = stages_frame(stage_values(placement, activation, dense))
        framed_chart(stages_figure(frame, activation), key="stages", alt=stages_alt(frame, activation), height=440)
    st.caption(
        "A random Dense layer of 40 units, 500 examples of 60 inputs between 0 and 1; all units together. "
        "A column far above the others is cut off."
    )
    _render_bias(dense_values(), activation)
    st.subheader("What if there is no activation at all?", anchor=False)
    st.markdown(_LINEAR.format(difference=format_power(linear_network_difference(), 0)))
    sources("Ioffe & Szegedy 2015, section 3.2. Measured with Keras 3.15: 0.919 on MNIST's test images.")


def _choose(label: str, titles: dict[str, str], key: str) -> str:
    names = list(titles)
    default = "before_activation" if "before_activation" in names else names[0]
    return st.pills(
        label, names, default=default, format_func=titles.__getitem__, required=True, key=f"how-{key}", wrap=True
    )


def _render_bias(dense: Floats, activation: str) -> None:
    controls, figure = question("Does a bias in front of BN change anything?")
    with controls:
        bias = st.slider("Bias", float(BIASES[0]), float(BIASES[-1]), 2.0, 0.1, key="how-bias")
        st.markdown(
            r"Directly before BN: no. The mean moves by the same $b$ and is subtracted, $(x+b)-(\mu+b)=x-\mu$. "
            "That is why Approach 2 sets `use_bias=False` and loses nothing: beta does the bias's work. "
            "With an activation in between, the bias matters."
        )
        frame = bias_frame(dense, activation)
        st.markdown(_change(frame, activation, bias))
    with figure:
        framed_chart(bias_figure(frame, bias), key="bias", alt=bias_alt(frame), height=340)


def _change(frame: pd.DataFrame, activation: str, bias: float) -> str:
    own = frame.iloc[int((frame["bias"] - bias).abs().argmin())]
    return (
        f"max |difference| with this bias and {ACTIVATIONS[activation].title}: **{format_power(own.before, 0)}** "
        f"where BN comes first (rounding), **{own.after:.2g}** where the activation comes first."
    )
