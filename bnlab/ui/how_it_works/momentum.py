"""The section "momentum": how moving_mean and moving_variance follow the batches."""

import streamlit as st

from bnlab.charts.explanations.equations import MOMENTUM
from bnlab.charts.explanations.momentum import moving_alt, moving_figure, moving_frame, weight_alt, weight_figure
from bnlab.ui.how_it_works.widgets import choose_number, framed_chart, sources

MOMENTA = (0.0, 0.5, 0.9, 0.95, 0.99, 0.999)
_TEXT = r"""
At every training step BN moves its stored statistics a little towards the batch's:
"""
_UPDATE = r"""
\begin{aligned}
&\text{moving\_mean} \leftarrow{} \\
&\quad \text{momentum}\cdot\text{moving\_mean} \\
&\quad {}+ (1-\text{momentum})\cdot\mu
\end{aligned}
"""
_NOTES = r"""
- `moving_variance` follows in the same way. They start at 0 and 1, and after $n$ steps those initial values still
  weigh $\text{momentum}^n$: with 0.99, 37 % after 100 steps and 9 % after 235. So early validation can look bad
  although the network is learning well.
- A low momentum forgets the start quickly, but jumps with every batch.
- **PyTorch's momentum is 1 − Keras's**: it is the weight of the *new* value. Keras's 0.99 is PyTorch's 0.01, and
  PyTorch's default 0.1 is Keras's 0.9.
- This momentum has nothing to do with the optimizer's.
"""


def render_momentum() -> None:
    """Draw the section."""
    st.markdown(_TEXT)
    st.latex(_UPDATE)
    left, right = st.columns(2, gap="medium")
    with left:
        momentum = choose_number("momentum (Keras)", MOMENTA, MOMENTUM, key="momentum")
    with right:
        steps = st.slider("Training steps", 20, 1000, 300, 20, key="how-steps")
    frame = moving_frame(momentum, steps)
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("How do the moving statistics fill up?", anchor=False)
        framed_chart(moving_figure(frame), key="moving", alt=moving_alt(frame), height=400)
        st.markdown(moving_alt(frame))
    with right:
        st.subheader("How long does the initial value last?", anchor=False)
        framed_chart(weight_figure(frame), key="weight", alt=weight_alt(frame), height=400)
        st.markdown(f"{weight_alt(frame)} In PyTorch this momentum is called {1 - momentum:g}.")
    st.markdown(_NOTES)
    sources(
        "Keras's BatchNormalization, which averages the batches' variances as they are; "
        "Ioffe & Szegedy 2015 first multiply them by m / (m − 1)."
    )
