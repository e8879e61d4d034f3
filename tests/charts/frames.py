"""Functions of `bnlab.charts.series` on DataFrames instead of dicts of arrays."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bnlab.charts import series


def columns_of(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    return {str(name): frame[name].to_numpy() for name in frame}


def smoothed_frame(steps: pd.DataFrame, smoothing: float) -> pd.DataFrame:
    return pd.DataFrame(series.smooth_columns(columns_of(steps), smoothing))


def seeds_frame(frames: Sequence[pd.DataFrame], names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(series.average_seeds([columns_of(frame) for frame in frames], names))


def minus_baseline(frame: pd.DataFrame, baseline: pd.DataFrame, names: Sequence[str], along: str) -> pd.DataFrame:
    return pd.DataFrame(series.subtract_baseline(columns_of(frame), columns_of(baseline), names, along))
