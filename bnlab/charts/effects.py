"""Effects of a claim's conditions in natural units: from the control's value to the treatment's, as HTML.

Each condition is a dumbbell: two dots with the 95 % intervals of their means, joined by a line. Better is to the
right: where lower values are better, the axis runs from high to low. A panel has the conditions of one unit, which
share an axis. HTML and not Plotly, since a page has hundreds of these and their texts wrap with its width; the colors
are those of the classes `control` and `treatment` in the style sheet.
"""

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bnlab.charts.formatting import MINUS, keep_percents

Row = Mapping[Any, Any]
"""A condition's row of `bnlab.claims.results.conditions_frame`."""

COUNTS = ("steps", "parameters", "operations", "layers", "parameters per unit")
DURATIONS = ("s", "ms")
UNITS = {"s": "seconds", "ms": "milliseconds"}
SIGNS = {"control": "●", "treatment": "◆"}
MAX_UNIT_LENGTH = 12  # in a table's cell; the heading has longer ones
PADDING = 0.06  # of the axis, at both ends
MIN_EFFECTS = 4.0  # smallest effects that an axis covers at least, so that a negligible difference looks like one
MAX_TICKS = 6
MIN_WHOLE = 1_000


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high`; reversed if lower values are better."""

    low: float
    high: float
    is_reversed: bool

    def position(self, value: float) -> float:
        """Where `value` is, in percent from the left, at most at an end."""
        share = (value - self.low) / (self.high - self.low)
        return 100 * min(max(1 - share if self.is_reversed else share, 0.0), 1.0)

    def ticks(self) -> list[float]:
        """Round values on the axis, at most MAX_TICKS."""
        step = _round_step((self.high - self.low) / MAX_TICKS)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [index * step for index in range(first, last + 1)]


def scale_of(values: Sequence[float], smallest_effect: float, better: str) -> Scale:
    """The axis for `values`, of which those that are not finite are left out."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    missing = max(MIN_EFFECTS * smallest_effect - (high - low), 0.0) / 2
    low, high = (0.0 if low >= 0 > low - missing else low - missing), high + missing
    margin = PADDING * (high - low)
    return Scale(low - margin, high + margin, better == "lower")


def effects_html(frame: pd.DataFrame) -> str:
    """A table per unit: each condition with its dumbbell, its values, their difference and the verdict.

    `frame` has the columns of `bnlab.claims.results.conditions_frame`.
    """
    if frame.empty:
        return "<p>Nothing has been measured yet.</p>"
    return keep_percents("".join(_panel(rows) for rows in _panels(frame)))


def dumbbell_html(row: Row, scale: Scale) -> str:
    """The dumbbell of a condition; it says what it shows in a sentence."""
    sentence = html.escape(effect_text(row))
    control, treatment = row["control"], row["treatment"]
    marks = "".join(
        f'<i class="interval {arm}" style="{_span(scale, row[f"{arm}_low"], row[f"{arm}_high"])}"></i>'
        for arm in ("control", "treatment")
        if math.isfinite(row[f"{arm}_low"]) and math.isfinite(row[f"{arm}_high"])
    )
    if math.isfinite(control) and math.isfinite(treatment):
        marks = f'<i class="joint" style="{_span(scale, control, treatment)}"></i>' + marks
    marks += "".join(
        f'<b class="{arm}" style="left:{scale.position(row[arm]):.2f}%"></b>'
        for arm in ("control", "treatment")
        if math.isfinite(row[arm])
    )
    return f'<span class="dumbbell" role="img" aria-label="{sentence}" title="{sentence}">{marks}</span>'


def values_html(row: Row, *, with_unit: bool = True) -> str:
    """The values of both arms: `7,414 → 2,651 steps`."""
    control, treatment = html.escape(_number(row["control"])), html.escape(_number(row["treatment"]))
    unit = html.escape(row["arm_unit"]) * with_unit
    return f'<span class="control">{control}</span> → <span class="treatment">{treatment}</span> {unit}'.rstrip()


def arm_names_html(row: Row) -> str:
    """The names of both arms, each with its sign."""
    names = (
        f'<span class="{arm}">{SIGNS[arm]} {html.escape(row[f"{arm}_name"])}</span>' for arm in ("control", "treatment")
    )
    return f'<small class="arm-names">{"".join(names)}</small>'


def effect_text(row: Row) -> str:
    """A sentence: `rate 0.1: 1,233 steps (no BN), 621 steps (BN); 612 steps fewer (488 to 736)` and a full stop."""
    arms = (
        f"{_number(row[arm])} {row['arm_unit']}".strip() + f" ({row[f'{arm}_name']})"
        for arm in ("control", "treatment")
    )
    return f"{row['condition']}: {', '.join(arms)}; {difference_text(row)}."


def difference_text(row: Row, *, with_unit: bool = True) -> str:
    """The difference in words, with its interval: `612 steps fewer (488 to 736)`, `equal`."""
    mean, low, high = row["mean"], row["low"], row["high"]
    if not math.isfinite(mean):
        return "not finite"
    if mean == low == high == 0:
        return "equal"
    text = " ".join(filter(None, (_rounded(row, mean), row["unit"] * with_unit, _side(row, mean))))
    if low == high:
        return text
    if not (math.isfinite(low) and math.isfinite(high)):
        return f"{text} (interval unbounded)"
    if low < 0 < high:
        return f"{text} ({_rounded(row, low)} {_side(row, low)} to {_rounded(row, high)} {_side(row, high)})"
    near, far = sorted((low, high), key=abs)
    return f"{text} ({_rounded(row, near)} to {_rounded(row, far)})"


def better_text(row: Row) -> str:
    """Which side is better: `fewer is better`."""
    if row["better"] == "neither":
        return ""
    return f"{_side(row, 1 if row['better'] == 'higher' else -1)} is better"


def _panels(frame: pd.DataFrame) -> Iterator[Sequence[Row]]:
    """The rows by unit and better side, in the order of their first conditions."""
    for _, part in frame.groupby(["arm_unit", "better"], sort=False):
        yield part.to_dict("records")


def _panel(rows: Sequence[Row]) -> str:
    values = [row[f"{arm}{end}"] for row in rows for arm in ("control", "treatment") for end in ("", "_low", "_high")]
    scale = scale_of(values, max(row["smallest_effect"] for row in rows), rows[0]["better"])
    title, names = _common_title(rows), {(row["control_name"], row["treatment_name"]) for row in rows}
    legend = " → ".join(
        f'<span class="{arm}">{sign} {html.escape(rows[0][f"{arm}_name"])}</span>' for arm, sign in SIGNS.items()
    )
    seeds = len(rows[0]["seeds"])
    notes = (better_text(rows[0]), f"{seeds} seed{'s' if seeds > 1 else ''}", legend if len(names) == 1 else "")
    heading = html.escape(_capitalize(_with_unit(title, rows[0]["arm_unit"])))
    caption = f"<caption><b>{heading}</b> <small>{' · '.join(filter(None, notes))}</small></caption>"
    body, group = "", ""
    for row in rows:
        if row["group"] != group:
            group = row["group"]
            body += f'<tr class="group"><th colspan="4" scope="rowgroup">{html.escape(group)}</th></tr>'
        body += _row(row, scale, title, with_names=len(names) > 1)
    columns = (
        '<thead><tr><th scope="col">Condition</th><th scope="col">Values</th><th scope="col">Difference '
        '(interval)</th><th scope="col">Verdict</th></tr></thead>'
    )
    return (
        f'<table class="effects">{caption}{columns}<tbody>{body}</tbody><tfoot>{_axis(scale, rows[0])}</tfoot></table>'
    )


def _row(row: Row, scale: Scale, title: str, *, with_names: bool) -> str:
    is_short = len(row["unit"]) <= MAX_UNIT_LENGTH
    values = values_html(row, with_unit=is_short)
    names = f"<small>{html.escape(row['control_name'])} → {html.escape(row['treatment_name'])}</small>" * with_names
    return (
        f'<tr><th scope="row">{html.escape(_label(row, title))}{names}</th>'
        f'<td class="figure">{dumbbell_html(row, scale)}<span class="values">{values}</span></td>'
        f"<td>{html.escape(difference_text(row, with_unit=is_short))}</td>"
        f'<td class="{row["verdict"]}">{html.escape(row["words"])}</td></tr>'
    )


def _axis(scale: Scale, row: Row) -> str:
    ticks = "".join(f'<i style="left:{scale.position(tick):.2f}%">{_number(tick)}</i>' for tick in scale.ticks())
    side = "" if row["better"] == "neither" else "better →"
    return f'<tr aria-hidden="true"><td></td><td class="axis"><span>{ticks}</span></td><td>{side}</td><td></td></tr>'


def _span(scale: Scale, first: float, second: float) -> str:
    left, right = sorted((scale.position(first), scale.position(second)))
    return f"left:{left:.2f}%;width:{right - left:.2f}%"


def _side(row: Row, difference: float) -> str:
    """The word for a positive or negative difference."""
    more, less = {"counts": ("more", "fewer"), "durations": ("more", "less")}.get(_kind(row), ("higher", "lower"))
    return more if difference > 0 else less


def _kind(row: Row) -> str:
    return "counts" if row["unit"] in COUNTS else "durations" if row["unit"] in DURATIONS else ""


def _number(value: float) -> str:
    if not math.isfinite(value):
        return "not finite"
    size = abs(value)
    text = f"{value:,.0f}" if size >= MIN_WHOLE else f"{value:z.4g}" if size >= 10 else f"{value:z.3g}"
    return text.replace("-", MINUS)


def _rounded(row: Row, difference: float) -> str:
    """The size of a difference, to a tenth of the smallest effect or a whole number, finer if that would leave 0."""
    decimals = max(1 - math.floor(math.log10(row["smallest_effect"])), 0)
    size = abs(difference)
    return _number(round(size, decimals) or float(f"{size:.1g}"))


def _common_title(rows: Sequence[Row]) -> str:
    """What the measures of a panel have in common, up to a comma; empty if it is nothing."""
    measures = {row["measure"] for row in rows}
    titles = measures if len(measures) == 1 else {measure.split(", ")[0] for measure in measures}
    return str(titles.pop()) if len(titles) == 1 else ""


def _label(row: Row, title: str) -> str:
    """The condition without what the panel's title says: of `rate 0.1, accuracy` only `rate 0.1`."""
    condition, measure = row["condition"], row["measure"]
    if not (title and condition.endswith(f", {measure}")):
        return str(condition)
    return str(condition.removesuffix(measure) + measure.removeprefix(title).lstrip(", ")).removesuffix(", ")


def _with_unit(title: str, unit: str) -> str:
    name = UNITS.get(unit, unit)
    return ", ".join(filter(None, (title, "" if name in title else name)))


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


def _round_step(step: float) -> float:
    """The smallest of 1, 2, 5, 10 times a power of ten that is at least `step`."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * (1 - 1e-9))
