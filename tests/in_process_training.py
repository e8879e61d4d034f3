"""Runs that are trained in this process, as a worker would, slice by slice."""

from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.stored_runs import OWNER


def train_in_process(store: Store, spec: RunSpec, label: str) -> None:
    """Launch a run of `spec` in `store` and train it to its end."""
    from bnlab.runs.worker import train_slice  # TensorFlow, which nobody else needs who imports this

    store.launch(spec, label, OWNER)
    while not train_slice(store.url, spec.digest, store.next_fence(spec.digest, OWNER) or 0).is_finished():
        pass
