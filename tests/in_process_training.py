"""Training in the test's process, slice by slice as in a worker."""

import pytest

from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.stored_runs import OWNER


def train_in_process(store: Store, spec: RunSpec, label: str) -> None:
    """Launch a run of `spec` in `store` and train it until it is finished, without XLA, which takes long to compile."""
    from bnlab.runs.worker import train_slice  # imports TensorFlow, which importers of this module may not need
    from bnlab.training import program

    store.launch(spec, label, OWNER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "XLA_ARCHITECTURES", frozenset())
        while not train_slice(store.url, spec.digest, store.next_fence(spec.digest, OWNER) or 0).is_finished():
            pass
