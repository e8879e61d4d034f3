"""The moment that the Layers page looks at: its slider."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from bnlab.live.layers import EVALUATION
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.layers.choices import LATEST
from tests.ui.layer_records import (
    SMALL,
    STEPS,
    components,
    document,
    open_view,
    record_run,
    store,
    traces,
    two_runs,
)

__all__ = ["store", "two_runs"]


def choose(app: AppTest, epoch: float) -> None:
    """As the slider's callback does."""
    app.session_state[EVALUATION] = epoch
    app.run()


def shown_step(app: AppTest) -> float:
    """Of the chart of gradients by depth; see `evaluation_of`."""
    (depth,) = traces(app, "layers-gradient-depth")
    return float(depth["y"][0]) - 0.5


def test_the_moment_is_a_plain_number_that_moves_the_charts(two_runs: Store) -> None:
    app = open_view(two_runs, "histograms")
    assert app.session_state[EVALUATION] == LATEST
    last = traces(app, "layers-histogram-bn_1-gamma")[0]
    choose(app, 0.5)
    assert app.session_state[EVALUATION] == 0.5
    earlier = traces(app, "layers-histogram-bn_1-gamma")[0]
    assert not np.array_equal(earlier["y"], last["y"])


def test_the_latest_moment_follows_training_and_any_other_stays(store: Store) -> None:
    """Without another run of the page's script."""
    spec = RunSpec(**SMALL | {"epochs": 9}, placement="after_activation")
    record_run(store, "Long", spec, (0, 2))
    app = open_view(store, "gradients")
    assert shown_step(app) == 2
    record_run(store, "Long", spec, (4, 6))
    assert shown_step(app) == 6
    assert document(app)["evaluations"]["steps"].tolist() == [0, 2, 4, 6]
    choose(app, 2.0)
    record_run(store, "Long", spec, (8,))
    assert shown_step(app) == 4


def test_a_moment_that_the_chosen_networks_do_not_have_becomes_their_nearest(two_runs: Store) -> None:
    assert open_view(two_runs, "gradients", moment=0.8).session_state[EVALUATION] == 1.0


@pytest.mark.parametrize(("moment", "epoch"), [(0.5, "0.5"), (LATEST, ""), (2.0, ""), (0.0, "0")])
def test_the_slider_stands_at_the_chosen_moment(moment: float, epoch: str, two_runs: Store) -> None:
    app = open_view(two_runs, "histograms", moment=moment)
    (slider,) = [data for data in components(app) if "evaluations" in data]
    assert (slider["parameter"], slider["epoch"]) == (EVALUATION, epoch)
    assert slider["evaluations"] == {"steps": [*STEPS], "per_epoch": 2}
