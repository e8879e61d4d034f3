"""Which workers may train: those that run the same code on the same store.

Each worker that joins is asked for its versions, and for a random token that the app has just written to its store. A
worker without it trains nothing: it sees another store, perhaps a file of the same name on another machine.
"""

import hashlib
import secrets as random_secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from distributed import Client, Future
from sqlalchemy import delete, insert, make_url, select

import bnlab
from bnlab.runs.errors import StoreError
from bnlab.runs.owners import has_owner_ended
from bnlab.runs.schema import secrets
from bnlab.runs.store import Store
from bnlab.runs.worker_store import open_worker_store, worker_store_url

RECHECK_SECONDS = 15.0
"""After how long a worker that was refused is asked again."""
RESULT_SECONDS = 10.0
TOKEN_PREFIX = "workers-"  # noqa: S105 (it is public)
PACKAGES = ("tensorflow", "keras")
"""Another version of these may train to other numbers."""
CODE = ("specs", "model", "training", "runs")
"""The packages of bnlab that workers run."""

OTHER_STORE = "it reads another store: BNLAB_STORE must be a place that all workers reach"
OTHER_CODE = "it has another version of bnlab: install the same one there"

Report = Mapping[str, Any]
"""What a worker says of itself: `problem`, a sentence's end or empty; `token`; `versions`."""


@dataclass(frozen=True)
class Refusal:
    """Why a worker may not train, and since when, in monotonic seconds."""

    sentence: str
    at: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        """Whether the worker is to be asked again."""
        return time.monotonic() >= self.at + RECHECK_SECONDS


class Admission:
    """Asks each worker once, or until it may train. All methods belong to the scheduler's thread."""

    def __init__(self, store: Store, owner: str) -> None:
        """`owner` is the name of the scheduler on the store."""
        self._store, self._owner = store, owner
        self._row = f"{TOKEN_PREFIX}{random_secrets.token_hex(8)}"
        self._token = ""
        self._admitted: set[str] = set()
        self._asked: dict[str, Future[Report]] = {}
        self._refused: dict[str, Refusal] = {}

    def admit(self, client: Client, workers: Iterable[str], on_answer: Callable[[object], None]) -> list[str]:
        """Those of the connected `workers` that may train; `on_answer` is called when one of the others has answered.

        Raises:
            bnlab.runs.errors.StoreError: the token cannot be written.
        """
        present = list(workers)
        self._forget_others(present)
        self._collect()
        for worker in present:
            if worker not in self._admitted and worker not in self._asked:
                refusal = self._refused.get(worker)
                if refusal is None or refusal.is_over:
                    self._ask(client, worker, on_answer)
        return [worker for worker in present if worker in self._admitted]

    @property
    def refusals(self) -> Sequence[str]:
        """One sentence for each worker that may not train."""
        return [refusal.sentence for refusal in self._refused.values()]

    def forget(self) -> None:
        """Forget all workers, as when the cluster is lost."""
        self._forget_others(())

    def close(self) -> None:
        """Remove the token from the store."""
        with suppress(StoreError), self._store.engine.begin() as connection:
            connection.execute(delete(secrets).where(secrets.c.name == self._row))

    def _forget_others(self, present: Sequence[str]) -> None:
        self._admitted.intersection_update(present)
        for known in (self._asked, self._refused):
            for worker in known.keys() - set(present):
                del known[worker]

    def _ask(self, client: Client, worker: str, on_answer: Callable[[object], None]) -> None:
        if not self._token:
            self._token = self._write_token()
        key = f"check-{random_secrets.token_hex(8)}"
        question = client.submit(
            _make_question(), self._store.url, self._row, key=key, workers=[worker], pure=False, priority=10
        )
        self._asked[worker] = question
        question.add_done_callback(on_answer)

    def _collect(self) -> None:
        for worker, question in list(self._asked.items()):
            if not question.done():
                continue
            del self._asked[worker]
            reason = self._refusal_reason(question)
            if reason is None:
                continue  # lost: it is asked again
            self._refused.pop(worker, None)
            if reason:
                self._refused[worker] = Refusal(f"The worker at {worker} is not used, because {reason}.")
            else:
                self._admitted.add(worker)

    def _refusal_reason(self, question: "Future[Report]") -> str | None:
        """Why the worker is refused; empty if it is not, None if there is no answer."""
        if question.status == "error":
            return f"it cannot run bnlab's code ({type(question.exception()).__name__})"
        if question.status != "finished":
            return None
        report = question.result(timeout=RESULT_SECONDS)
        if report["problem"]:
            return str(report["problem"])
        if difference := _version_difference(own_versions(), report["versions"]):
            return difference
        return "" if report["token"] == self._token else OTHER_STORE

    def _write_token(self) -> str:
        """Write a new token beside those of other schedulers, and remove those of schedulers that have ended."""
        token = random_secrets.token_hex(16)
        tokens = select(secrets.c.name, secrets.c.value).where(secrets.c.name.startswith(TOKEN_PREFIX))
        with self._store.engine.begin() as connection:
            stored = connection.execute(tokens).all()
            ended = [row.name for row in stored if has_owner_ended(row.value.partition(" ")[2])]
            connection.execute(delete(secrets).where(secrets.c.name.in_([*ended, self._row])))
            connection.execute(insert(secrets).values(name=self._row, value=f"{token} {self._owner}"))
        return token


def describe_worker(store_url: str, row: str) -> Report:
    """What this worker is: its versions, and the token in that row of its store; the problem if it cannot be read."""
    report = {"problem": "", "token": "", "versions": own_versions()}
    url = worker_store_url(store_url)
    try:
        # Opening an SQLite file that is not there would create it.
        if is_missing_file(url):
            return report | {"problem": OTHER_STORE}
        with open_worker_store(store_url).engine.connect() as connection:
            value = connection.scalar(select(secrets.c.value).where(secrets.c.name == row))
    except StoreError as error:
        return report | {"problem": f"it cannot read the store: {str(error).rstrip('.')}"}
    return report | {"token": str(value or "").partition(" ")[0]}


def is_missing_file(url: str) -> bool:
    """Whether this is the URL of an SQLite file that does not exist."""
    parsed = make_url(url)
    return parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").expanduser().is_file()


@cache
def own_versions() -> dict[str, str]:
    """The versions in this process of what decides on the numbers of a training, by name."""
    return {"bnlab": _code_digest()} | {package: _package_version(package) for package in PACKAGES}


def _package_version(package: str) -> str:
    for distribution in (package, f"{package}-cpu"):
        with suppress(PackageNotFoundError):
            return version(distribution)
    return "none"


def _code_digest() -> str:
    """A digest of the source files that workers run: versions are told apart also between releases."""
    folder = Path(bnlab.__file__).parent
    paths = sorted(path for package in CODE for path in (folder / package).rglob("*.py"))
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(folder).as_posix()}\0{path.read_text('utf-8')}\0".encode())
    return digest.hexdigest()


def _version_difference(own: Mapping[str, str], others: Mapping[str, str]) -> str:
    if own["bnlab"] != others.get("bnlab"):
        return OTHER_CODE
    for package in PACKAGES:
        if own[package] != others.get(package):
            return f"it has {package} {others.get(package)}, not {own[package]}: install the app's version there"
    return ""


def _make_question() -> Callable[[str, str], Report]:
    """A function that is sent whole, since the worker may have no bnlab, or another one without this module."""

    def ask(store_url: str, row: str) -> Report:
        try:
            from bnlab.runs.admission import describe_worker as describe
        except ModuleNotFoundError as error:
            name = str(error.name)
            if name == "bnlab":
                reason = "there is no bnlab: start it in bnlab's folder, or set PYTHONPATH to that"
            elif name.startswith("bnlab"):
                reason = "it has another version of bnlab: install the same one there"
            else:
                reason = f"it lacks the package {name}: install bnlab's requirements there"
            return {"problem": reason}
        except Exception as error:  # noqa: BLE001 (whatever the other version does)
            return {"problem": f"it cannot import bnlab ({type(error).__name__})"}
        return describe(store_url, row)

    return ask
