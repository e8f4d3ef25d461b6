"""One property of the catalogue: what it says, for how many faults, and the function that judges it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..judging.table import Table
from ..judging.verdict import Verdict

ANY = 1 << 30  # faults


@dataclass(frozen=True, slots=True)
class Property:
    """`holds_for`: judged while at most so many faults have become effective. `reading`: what exactly is looked at here."""

    id: str
    name: str
    unit: str
    holds_for: int
    limit: str
    reading: str
    judge: "Callable[[Property, Table], Verdict]"

    def __call__(self, table: Table) -> Verdict:
        """The verdict on a run."""
        return self.judge(self, table)

    def apart(self, why: str) -> Verdict:
        """This run says nothing of it."""
        return Verdict(self.id, "not_applicable", why, unit=self.unit)

    def held(self, margin: float, text: str = "", cycle: int | None = None) -> Verdict:
        """With so much in hand."""
        return Verdict(self.id, "held", text or self.name, float(margin), self.unit, cycle)

    def far(self, margin: float) -> Verdict:
        """There was nothing to look at."""
        return far(self, margin)

    def worst(self, table: Table, margins: Any, text: str, *, at_most: float, reached: bool = False, looked: Any = None) -> Verdict:
        """The smallest of `margins` decides: below zero is a violation; `reached`: so is zero.

        `at_most`: the margin where nothing is looked at. `looked`: (n,) bool of the rows that count; those with more faults
        than the property holds for are left out. `margins` may be a function: it is asked only if there is something to look at.
        """
        rows = table.counting(self.holds_for, looked)
        if not len(rows):
            if len(table) and not table.holds(self.holds_for).any():
                return self.apart(f"more than {self.holds_for} fault(s) from the first cycle on")
            return self.far(at_most)
        seen = np.asarray(margins() if callable(margins) else margins, float)
        at = int(rows[seen[rows].argmin() if seen.ndim else 0])
        found = float(seen[at] if seen.ndim else seen)
        margin, cycle = min(found, at_most), int(table["cycle"][at if found != np.inf else 0])
        bad = margin < 0.0 or (reached and margin <= 0.0)
        return Verdict(self.id, "violated" if bad else "held", text, margin, self.unit, cycle)


@cache
def far(it: Property, margin: float) -> Verdict:
    """Of most properties in most runs: made once."""
    return it.held(margin, f"{it.name}; nothing came near it")


def joined(verdicts: list[Verdict]) -> Verdict:
    """Several looks at one property: the worst of them."""
    judged = [v for v in verdicts if v.outcome != "not_applicable"]
    if not judged:
        return verdicts[0]
    return min(judged, key=lambda v: (v.outcome != "violated", np.inf if v.margin is None else v.margin))
