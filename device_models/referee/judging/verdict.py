"""What the referee says of one property, and of a run."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["held", "violated", "not_applicable"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`margin`: how far from being violated, below zero when it was; in `unit`. `cycle`: where it came closest."""

    id: str
    outcome: Outcome
    text: str
    margin: float | None = None
    unit: str = ""
    cycle: int | None = None

    def __str__(self) -> str:
        left = "" if self.margin is None else f", margin {self.margin:.4g} {self.unit}".rstrip()
        return f"{self.id} {self.outcome.replace('_', ' ')}{left}: {self.text}"


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Of one run: every property of the catalogue, in its order."""

    all: tuple[Verdict, ...]

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self.all)

    def __getitem__(self, name: str) -> Verdict:
        """By id, like "SI-05"."""
        return next(verdict for verdict in self.all if verdict.id == name)

    @property
    def violated(self) -> tuple[Verdict, ...]:
        """Empty in a run that is as it should be."""
        return tuple(verdict for verdict in self.all if verdict.outcome == "violated")

    @property
    def judged(self) -> tuple[Verdict, ...]:
        """Those that the run could be judged by."""
        return tuple(verdict for verdict in self.all if verdict.outcome != "not_applicable")

    @property
    def margins(self) -> dict[str, tuple[float, str]]:
        """id -> (margin, unit)."""
        return {verdict.id: (verdict.margin, verdict.unit) for verdict in self.all if verdict.margin is not None}

    @property
    def line(self) -> str:
        """One line for people."""
        n, apart = len(self.judged), len(self.all) - len(self.judged)
        others = f" ({apart} not applicable)" if apart else ""
        if self.violated:
            return f"{len(self.violated)} of {n} properties VIOLATED{others}: {'; '.join(map(str, self.violated))}"
        return f"{n} properties held{others}"
