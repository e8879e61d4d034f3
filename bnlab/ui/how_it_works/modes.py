"""The section "modes": training mode and inference mode."""

import streamlit as st

from bnlab.charts.explanations.modes import MAX_BATCH, modes_alt, modes_figure, modes_frame
from bnlab.ui.how_it_works.widgets import choose_number, framed_chart, question_columns, sources

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, MAX_BATCH)
_TEXT = r"""
- **Training mode** (`training=True`, in `fit`): the batch's own $\mu$ and $\sigma^2$. What comes out for one example
  depends on the examples it happens to share its batch with. That is noise; it also regularizes a little.
- **Inference mode** (`training=False`, in `evaluate` and `predict`): `moving_mean` and `moving_variance`, two stored
  numbers for each feature. The same example gives the same output, alone or in any batch.
"""
_NOTES = """
- Small batches make the noise large: their mean and variance vary most. In a batch of 2 one comes out near +1, the
  other near −1, whatever their distance; in a batch of 1 the output is beta, whatever the example was.
- Small batches also make `moving_variance` too small: a batch of $m$ has on average $(m-1)/m$ of the variance that its
  examples are drawn from, and Keras averages that.
- The training loss and accuracy that `fit` prints were measured in training mode while the weights changed; the
  validation values in inference mode. The two are not the same measure.
- `training` is not `trainable`. A frozen BN layer (`trainable = False`) keeps gamma and beta *and* runs in inference
  mode.
"""


def render_modes() -> None:
    """Draw the section."""
    st.markdown(_TEXT)
    controls, figure = question_columns("What comes out for the same example in 30 different batches?")
    with controls:
        value = st.slider("The example's value", -4.0, 8.0, 4.0, 0.5, key="how-value")
        size = int(choose_number("Batch size", SIZES, 8, key="modes-size"))
        frame = modes_frame(value, size)
        st.markdown(modes_alt(frame))
    with figure:
        framed_chart(modes_figure(frame), key="modes", alt=modes_alt(frame))
    st.markdown(_NOTES)
    sources("Ioffe & Szegedy 2015, algorithm 2; Ioffe 2017 on small batches; Keras's BatchNormalization.")
