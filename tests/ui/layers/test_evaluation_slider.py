"""The moment that the Layers page looks at: its slider, and Play."""

import pytest

from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.layers import evaluation_slider
from tests.ui.layer_records import SMALL, charts, infos, open_view, record_run, store, two_runs

__all__ = ["store", "two_runs"]


def test_the_moment_is_a_plain_number_that_moves_the_charts(two_runs: Store) -> None:
    app = open_view(two_runs, "histograms")
    assert app.session_state[evaluation_slider.EVALUATION] == 2.0
    last = charts(app)["layers-histogram-bn_1-gamma"]["figure"]
    app.select_slider(key=evaluation_slider.EVALUATION).set_value(0.5).run()
    assert app.session_state[evaluation_slider.EVALUATION] == 0.5
    assert charts(app)["layers-histogram-bn_1-gamma"]["figure"] != last


def test_the_latest_moment_follows_training_and_any_other_stays(store: Store) -> None:
    spec = RunSpec(**SMALL | {"epochs": 9}, placement="after_activation")
    record_run(store, "Long", spec, (0, 2))
    app = open_view(store, "gradients")
    assert app.session_state[evaluation_slider.EVALUATION] == 1.0
    record_run(store, "Long", spec, (4, 6))
    app.run()
    assert app.session_state[evaluation_slider.EVALUATION] == 3.0
    app.select_slider(key=evaluation_slider.EVALUATION).set_value(2.0).run()
    record_run(store, "Long", spec, (8,))
    app.run()
    assert app.session_state[evaluation_slider.EVALUATION] == 2.0


def test_a_moment_that_the_chosen_networks_do_not_have_becomes_their_nearest(two_runs: Store) -> None:
    assert open_view(two_runs, "gradients", moment=0.8).session_state[evaluation_slider.EVALUATION] == 1.0


def test_play_moves_through_the_moments_and_ends(two_runs: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(evaluation_slider.time, "monotonic", lambda: now)
    app = open_view(two_runs, "histograms")
    app.button(key="layers-play").click().run()
    seen = [app.session_state[evaluation_slider.PLAYED]]
    for _ in range(2):
        now += evaluation_slider.PLAY_SECONDS * 1.01
        app.run()
        seen.append(app.session_state[evaluation_slider.PLAYED])
        assert app.button(key="layers-pause")
    assert seen == [0.0, 0.5, 1.0]
    app.run()
    assert app.session_state[evaluation_slider.PLAYED] == 1.0, "what else is pressed does not hurry it"
    now += 10
    app.run()
    assert not infos(app)
    assert app.session_state[evaluation_slider.EVALUATION] == 2.0
    assert app.button(key="layers-play")


def test_pause_stays_where_it_is(two_runs: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(evaluation_slider.time, "monotonic", lambda: now)
    app = open_view(two_runs, "gradients")
    app.button(key="layers-play").click().run()
    now += evaluation_slider.PLAY_SECONDS * 1.5
    app.run()
    app.button(key="layers-pause").click().run()
    now += 10
    app.run()
    assert not infos(app)
    assert app.session_state[evaluation_slider.EVALUATION] == 0.5
