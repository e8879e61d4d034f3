"""The moment that the Layers page looks at: its slider."""

import numpy as np
import pytest

from bnlab.live.layers import EVALUATION
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.layers.evaluation_slider import LATEST
from tests.ui.layer_records import (
    SMALL,
    components,
    document,
    open_view,
    record_run,
    store,
    traces,
    two_runs,
)

__all__ = ["store", "two_runs"]


def test_the_moment_is_a_plain_number_that_moves_the_charts(two_runs: Store) -> None:
    app = open_view(two_runs, "histograms")
    assert app.session_state[EVALUATION] == LATEST
    last = traces(app, "layers-histogram-bn_1-gamma")[0]
    app.select_slider(key=EVALUATION).set_value(0.5).run()
    assert app.session_state[EVALUATION] == 0.5
    earlier = traces(app, "layers-histogram-bn_1-gamma")[0]
    assert not np.array_equal(earlier["y"], last["y"])


def test_the_latest_moment_follows_training_and_any_other_stays(store: Store) -> None:
    """Without another run of the page's script."""
    spec = RunSpec(**SMALL | {"epochs": 9}, placement="after_activation")
    record_run(store, "Long", spec, (0, 2))
    app = open_view(store, "gradients")
    assert app.select_slider(key=EVALUATION).options == ["start", "latest"]
    assert document(app)["moment"] == "epoch 1"
    record_run(store, "Long", spec, (4, 6))
    assert document(app)["moment"] == "epoch 3"
    app.run()
    app.select_slider(key=EVALUATION).set_value(2.0).run()
    record_run(store, "Long", spec, (8,))
    assert document(app)["moment"] == "epoch 2"


def test_a_moment_that_the_chosen_networks_do_not_have_becomes_their_nearest(two_runs: Store) -> None:
    assert open_view(two_runs, "gradients", moment=0.8).session_state[EVALUATION] == 1.0


@pytest.mark.parametrize(("moment", "start"), [(0.5, 1), (LATEST, 3)])
def test_play_goes_through_all_moments_from_the_chosen_one(moment: float, start: int, two_runs: Store) -> None:
    app = open_view(two_runs, "histograms", moment=moment)
    (player,) = [data for data in components(app) if "values" in data]
    assert (player["parameter"], player["values"], player["start"]) == (EVALUATION, ["0", "0.5", "1", "2"], start)
