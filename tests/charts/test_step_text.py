from hypothesis import given
from hypothesis import strategies as st

from bnlab.charts.snapshots import label_positions, step_text


def test_a_moment_is_called_by_its_epoch_where_it_ends_one() -> None:
    assert [step_text(step, 1719) for step in (0, 41, 1719, 17190)] == ["start", "step 41", "epoch 1", "epoch 10"]


def test_labels_mark_the_start_the_first_epoch_and_the_end() -> None:
    steps = [0, 1, 2, 4, 9, 20, 41, 87, 184, 387, 816, *range(1719, 17191, 1719)]
    assert [step_text(steps[i], 1719) for i in label_positions(steps, 1719)] == ["start", "epoch 1", "epoch 10"]


@given(st.lists(st.integers(0, 500), min_size=1, unique=True).map(sorted), st.integers(1, 100))
def test_labels_are_apart_and_reach_from_end_to_end(steps: list[int], per_epoch: int) -> None:
    positions = label_positions(steps, per_epoch)
    assert positions[0] == 0
    assert positions[-1] == len(steps) - 1
    assert positions == sorted(set(positions))
