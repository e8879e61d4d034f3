"""The section "statistics": normalizing the batch of one feature, scaling by gamma and shifting by beta."""

import streamlit as st

from bnlab.charts.explanations.batch import MAX_BATCH, batch_alt, batch_figure, batch_frame, sample_batch
from bnlab.charts.explanations.equations import EPSILON, Floats
from bnlab.ui.how_it_works.widgets import choose_number, framed_chart, latex_number, question_columns, sources

SPREADS = (0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 2.0)
FIRST_SEED = 4  # draws six values that are well apart
EPSILONS = (1e-7, 1e-5, 1e-3, 1e-2, 1e-1, 1.0)
_TEXT = r"""
A Dense unit gives one number $x_i$ for each of the $m$ examples in the batch. BN computes their mean $\mu$ and their
variance $\sigma^2$, makes the numbers comparable, $\hat x_i$, and hands on $y_i$. Each unit has its own $\gamma$ and
$\beta$, which are learned; $\mu$ and $\sigma^2$ are not learned but measured, in every batch anew.
"""
_TRY = """
**Try it.** Move example 1 alone: *all* outputs move, because all share one mean and one variance. Make the spread
small: BN magnifies it back to 1, until the variance is no larger than epsilon. Set the batch to 1 example: nothing is
left of it but beta.
"""


def render_batch() -> None:
    """Draw the section."""
    st.markdown(_TEXT)
    controls, figure = question_columns("What do mean, variance, gamma and beta do to a batch?")
    with controls:
        values = _choose_values()
        left, right = st.columns(2)
        with left:
            gamma = st.slider("gamma γ", -2.0, 3.0, 1.0, 0.1, key="how-gamma")
        with right:
            beta = st.slider("beta β", -4.0, 4.0, 0.0, 0.5, key="how-beta")
        epsilon = choose_number("epsilon ε", EPSILONS, EPSILON, key="epsilon", note="Keras 0.001, PyTorch 0.00001.")
    with figure:
        frame = batch_frame(values, gamma, beta, epsilon)
        framed_chart(batch_figure(frame), key="batch", alt=batch_alt(frame), height=440)
    _render_equations(values, gamma, beta, epsilon)
    st.markdown(_TRY)
    sources(
        "Ioffe & Szegedy 2015, algorithm 1. The variance divides by $m$, in Keras as in the paper. "
        "Epsilon stands inside the square root, so it also keeps BN from dividing by zero."
    )


def _choose_values() -> Floats:
    size = st.slider("Examples in the batch", 1, MAX_BATCH, 6, key="how-size")
    left, right = st.columns(2)
    with left:
        mean = st.slider("Middle of the values", -4.0, 4.0, 3.0, 0.5, key="how-mean")
    with right:
        spread = choose_number("Spread of the values", SPREADS, 0.3, key="spread")
    moved = st.slider("Move example 1 by", -6.0, 6.0, 0.0, 0.5, key="how-moved")
    st.button("New batch", icon=":material/casino:", on_click=_draw_new_batch, key="how-new-batch")
    return sample_batch(size, mean, spread, st.session_state.get("how-batch-seed", FIRST_SEED), moved)


def _draw_new_batch() -> None:
    st.session_state["how-batch-seed"] = st.session_state.get("how-batch-seed", FIRST_SEED) + 1


def _render_equations(values: Floats, gamma: float, beta: float, epsilon: float) -> None:
    """Draw the four equations, each with this batch's numbers below."""
    mean, variance = float(values.mean()), float(values.var())
    left, right = st.columns(2)
    left.latex(_aligned(r"\mu", r"\tfrac1m \sum_i x_i", latex_number(mean)))
    left.latex(_aligned(r"\sigma^2", r"\tfrac1m \sum_i (x_i-\mu)^2", latex_number(variance)))
    fraction = r"\frac{{x_i-\mu}}{{{}}}"
    deviation = fraction.format(latex_number((variance + epsilon) ** 0.5))
    right.latex(_aligned(r"\hat x_i", fraction.format(r"\sqrt{\sigma^2+\varepsilon}"), deviation))
    right.latex(_aligned("y_i", r"\gamma\,\hat x_i + \beta", rf"{gamma:z.1f}\,\hat x_i {beta:+z.1f}"))


def _aligned(name: str, formula: str, numbers: str) -> str:
    """LaTeX of a formula with its numbers in the line below."""
    return rf"\begin{{aligned}} {name} &= {formula} \\ &= {numbers} \end{{aligned}}"
