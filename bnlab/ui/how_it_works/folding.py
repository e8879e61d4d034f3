"""The section "folding": for inference, BN is folded into the Dense layer next to it."""

import numpy as np
import streamlit as st

from bnlab.charts.explanations.equations import Floats
from bnlab.charts.explanations.folding import (
    EXAMPLES,
    INPUTS,
    UNITS,
    Dense,
    Normalization,
    fold_into_next,
    fold_into_previous,
    folding_alt,
    folding_difference,
    folding_figure,
    folding_frame,
    random_dense,
    random_normalization,
)
from bnlab.charts.formatting import format_power
from bnlab.ui.how_it_works.widgets import framed_chart, latex_number, question_columns, sources

PREVIOUS, NEXT = "previous", "next"
_ORDERS = {PREVIOUS: "Dense → BN", NEXT: "BN → Dense"}
_TEXT = r"""
In inference mode BN only multiplies and adds fixed numbers, and a Dense layer can do that by itself. After training,
both can be made one layer: no more parameters, no more time than without BN. Keras does not do it by itself: until
somebody folds it, `predict` runs every BN layer.
"""
_FACTOR = r"s = \frac{\gamma}{\sqrt{\sigma^2+\varepsilon}}"
_EQUATIONS = {
    PREVIOUS: (_FACTOR, r"W' = W\,\mathrm{diag}(s)", r"b' = (b-\mu)\,s+\beta"),
    NEXT: (_FACTOR, r"W' = \mathrm{diag}(s)\,W", r"b' = b + (\beta-\mu\,s)\,W"),
}
_WHERE = {
    PREVIOUS: "BN before the activation folds into the Dense layer *before* it: column by column, one for each unit.",
    NEXT: "BN on the input, or after an activation, folds into the *next* Dense: row by row, one for each input.",
}


def render_folding() -> None:
    """Draw the section."""
    st.markdown(_TEXT)
    controls, figure = question_columns("Do both ways give the same output?")
    with controls:
        order = st.pills(
            "Order",
            list(_ORDERS),
            format_func=_ORDERS.__getitem__,
            default=PREVIOUS,
            required=True,
            key="how-order",
            wrap=True,
        )
        st.button("New numbers", icon=":material/casino:", on_click=_draw_new_numbers, key="how-new-numbers")
        st.markdown(_WHERE[order])
        for equation in _EQUATIONS[order]:
            st.latex(equation)
    rng = np.random.default_rng(st.session_state.get("how-folding-seed", 0))
    dense, normalization = random_dense(rng), random_normalization(rng, UNITS if order == PREVIOUS else INPUTS)
    folded = fold_into_previous(dense, normalization) if order == PREVIOUS else fold_into_next(normalization, dense)
    x = rng.normal(size=(EXAMPLES, INPUTS))
    frame = folding_frame(normalization(dense(x)) if order == PREVIOUS else dense(normalization(x)), folded(x))
    with figure:
        framed_chart(folding_figure(frame), key="folding", alt=folding_alt(frame), height=360)
        st.markdown(
            f"max |difference| over {len(frame)} outputs: **{format_power(folding_difference(frame), 0)}** (rounding)."
        )
    _render_numbers(dense, normalization, folded)
    sources("Jacob et al. 2018, section 3.2; kernels as Keras stores them, inputs × units, so the output is x W + b.")


def _draw_new_numbers() -> None:
    st.session_state["how-folding-seed"] = st.session_state.get("how-folding-seed", 0) + 1


def _render_numbers(dense: Dense, normalization: Normalization, folded: Dense) -> None:
    """Draw the weights of the three layers."""
    layers = {
        "Dense": {"W": dense.kernel, "b": dense.bias},
        "BN": {
            r"\gamma": normalization.gamma,
            r"\beta": normalization.beta,
            r"\mu": normalization.moving_mean,
            r"\sigma^2": normalization.moving_variance,
        },
        "Folded Dense": {"W'": folded.kernel, "b'": folded.bias},
    }
    with st.container(horizontal=True, gap="medium"):
        for name, variables in layers.items():
            lines = r" \\ ".join(f"{symbol} &= {_matrix(values)}" for symbol, values in variables.items())
            with st.container(width=240):
                st.markdown(f"**{name}**, {sum(values.size for values in variables.values())} numbers")
                st.latex(rf"\begin{{aligned}} {lines} \end{{aligned}}")


def _matrix(values: Floats) -> str:
    """LaTeX of a matrix; a vector is one row."""
    rows = r" \\ ".join(" & ".join(map(latex_number, row.tolist())) for row in np.atleast_2d(values))
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"
