"""Errors in the Layers page's parameters in the URL."""

import pytest

from bnlab.specs.presets import PRESETS
from bnlab.ui.layers.url import layers_faults

COMPARISON = PRESETS["notebook"].comparison.with_seeds(2)


@pytest.mark.parametrize(
    ("name", "values", "says"),
    [
        ("layers-view", ["Foo"], "There is no view 'Foo'."),
        ("layers-view", ["heatmap"], "There is no view 'heatmap'; did you mean heatmaps?"),
        ("layers-seed", ["2"], "There is no seed '2'."),
        ("layers-networks", ["Baseline", "Nobody"], "There is no network 'Nobody'."),
        ("layers-normalizations", ["bn_99"], "There is no normalization layer 'bn_99'"),
        ("layers-hidden", ["dense_99"], "There is no hidden layer 'dense_99'"),
        ("layers-xray-steps", ["0", "7"], "There is no step to measure at '7'."),
        ("layers-xray-own", ["99999"], "A step to measure at must be from 1 to 1,000, but '99999' was given."),
        ("layers-xray-own", ["many"], "A step to measure at must be from 1 to 1,000, but 'many' was given."),
        ("layers-moment", ["-1"], "The evaluation must be an epoch of 0 or more, but '-1' was given."),
    ],
)
def test_what_a_widget_would_drop_is_said(name: str, values: list[str], says: str) -> None:
    (fault,) = layers_faults({name: values}, COMPARISON)
    assert fault.startswith(says)


def test_what_the_page_itself_writes_is_let_pass() -> None:
    written = {
        "layers-view": ["xray", "X-ray", "learned", "Heat maps"],
        "layers-measure": ["true"],
        "layers-seed": ["1"],
        "layers-networks": COMPARISON.labels,
        "layers-normalizations": ["bn_1"],
        "layers-hidden": ["dense_1", "dense_2"],
        "layers-xray-steps": ["0", "100"],
        "layers-xray-own": ["1000"],
        "layers-moment": ["0.333333"],
    }
    assert layers_faults(written, COMPARISON) == []
