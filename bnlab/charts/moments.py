"""What a moment of training is called."""

from collections.abc import Sequence


def moment_words(step: int, steps_per_epoch: int) -> str:
    """The start, the end of an epoch, or a step within one."""
    if step == 0:
        return "start"
    epoch, beyond = divmod(step, steps_per_epoch)
    return f"step {step:,}" if beyond else f"epoch {epoch:,}"


def labelled_positions(steps: Sequence[int], steps_per_epoch: int) -> list[int]:
    """The positions in `steps` of the start, epoch 1 and the end, as far as their labels do not meet."""
    end = len(steps) - 1
    first_epoch = next((i for i, step in enumerate(steps) if step >= steps_per_epoch), end)
    apart = len(steps) / 4
    between = [first_epoch] if first_epoch >= apart and end - first_epoch >= apart else []
    return [0, *between, end] if end else [0]
