"""The stock: what of a case's runs and answers is in the store already, and what is left to be done."""

from dataclasses import dataclass

from bnlab.claims.case import Case
from bnlab.claims.evidence import probes, trained_specs
from bnlab.runs.answers import kept_answers
from bnlab.runs.groups import ended_runs
from bnlab.runs.store import Store


@dataclass(frozen=True)
class Stock:
    """All that was trained to its end here, by digest, and answered, by question and digest."""

    runs: frozenset[str]
    answers: frozenset[tuple[str, str]]

    def of(self, case: Case, after: Case | None = None) -> "Extent":
        """How much of `case` there is; of what it needs beyond the case `after`, if one is given."""
        held = frozenset(trained_specs(after)) | {q.spec for q in probes(after)} if after else frozenset()
        specs = [spec.digest for spec in trained_specs(case) if spec not in held]
        asked = [(question.name, question.spec.digest) for question in probes(case) if question.spec not in held]
        return Extent(len(specs), len(self.runs.intersection(specs)), len(asked), len(self.answers.intersection(asked)))


@dataclass(frozen=True)
class Extent:
    """How much is `trained` of the `needed` runs, and `answered` of what is `asked`."""

    needed: int
    trained: int
    asked: int
    answered: int

    @property
    def is_begun(self) -> bool:
        """Whether some of it is there, but not all."""
        return 0 < self.trained + self.answered < self.needed + self.asked


def read_stock(store: Store) -> Stock:
    """What the store has."""
    return Stock(frozenset(ended_runs(store)), frozenset(kept_answers(store)))
