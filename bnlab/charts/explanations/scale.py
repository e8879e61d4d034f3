"""What batch normalization on the input makes of the input's scale."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from bnlab.charts.explanations.equations import EPSILON, Floats, normalize_batch
from bnlab.charts.explanations.layout import BLUE, GREY, ORANGE, dashed_line, still_layout, titled
from bnlab.charts.style import message_figure, plain_figure
from bnlab.spec.choices import RESCALINGS

FACTORS = np.logspace(-7, 1, 81)
EXAMPLES = 1_000


def raw_pixel(seed: int = 0) -> Floats:
    """`[1000]`: one pixel's values in as many images, whole numbers from 0 to 255."""
    return np.random.default_rng(seed).integers(0, 256, EXAMPLES).astype(np.float64)


def scale_frame(factors: Floats = FACTORS, epsilon: float = EPSILON) -> pd.DataFrame:
    """Columns factor, plain, normalized: the std of raw pixels times each factor, without BN and after it."""
    pixel = raw_pixel()
    rows = [(f, (f * pixel).std(), normalize_batch(f * pixel, epsilon=epsilon).std()) for f in factors.tolist()]
    return pd.DataFrame(rows, columns=["factor", "plain", "normalized"])


def scale_figure(frame: pd.DataFrame, factor: float) -> go.Figure:
    """Standard deviations over the factor, both on logarithmic axes; `factor` and bnlab's rescalings are marked."""
    if frame.empty:
        return message_figure("", "No scales")
    layout = still_layout(
        titled("pixels are multiplied by", type="log", exponentformat="power", dtick=2),
        titled("standard deviation", type="log", exponentformat="power", range=[-4.2, 3.2], dtick=1),
        shapes=[dashed_line(factor), *[dashed_line(r.factor) | _FAINT for r in RESCALINGS.values()]],
        annotations=[_flag(rescaling.factor, rescaling.title) for rescaling in RESCALINGS.values()],
    )
    plain = _line(frame, "plain", "without BN", {"color": ORANGE, "width": 3, "dash": "dash"})
    return plain_figure([plain, _line(frame, "normalized", "after BN", {"color": BLUE, "width": 4})], layout)


_FAINT = {"line": {"color": GREY, "width": 1, "dash": "dot"}}


def _flag(factor: float, title: str) -> dict[str, Any]:
    """`title` at the foot of the line at `factor`; on a logarithmic axis notes stand at the logarithm."""
    place = {"x": float(np.log10(factor)), "y": 0.02, "yref": "paper", "xanchor": "right", "yanchor": "bottom"}
    return {"text": title, "textangle": -90, "showarrow": False, **place}


def _line(frame: pd.DataFrame, column: str, name: str, line: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "uid": column,
        "name": name,
        "x": frame["factor"].to_numpy(),
        "y": frame[column].to_numpy(),
        "mode": "lines",
        "line": line,
        "hovertemplate": "× %{x:.2g}: %{y:.3g}",
    }


def scale_alt(frame: pd.DataFrame) -> str:
    """From which factor on BN's output has nearly the standard deviation 1."""
    undone = frame.loc[frame["normalized"] > 0.9, "factor"]
    if undone.empty:
        return "BN brings none of these scales to a standard deviation of 1."
    return (
        f"BN brings every pixel to a standard deviation of about 1 from a factor of {undone.min():.1g} up; "
        "below it the variance drowns in epsilon and the pixels stay small."
    )
