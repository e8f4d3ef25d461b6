"""One property of the catalogue: what it says, for how many faults, and the function that judges it."""

from collections.abc import Callable
from dataclasses import dataclass
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

    def worst(self, table: Table, margins: Any, text: str, *, at_most: float, reached: bool = False, looked: Any = None) -> Verdict:
        """The smallest of `margins` decides: below zero is a violation; `reached`: so is zero.

        `at_most`: the margin where nothing is looked at. `looked`: (n,) bool of the rows that count; those with more faults
        than the property holds for are left out.
        """
        holds = table.holds(self.holds_for)
        counts = holds if looked is None else holds & looked
        if not counts.any():
            if len(table) and not holds.any():
                return self.apart(f"more than {self.holds_for} fault(s) from the first cycle on")
            return self.held(at_most, f"{self.name}; nothing came near it")
        margins = np.broadcast_to(np.asarray(margins, float), (len(table),))
        seen = np.where(counts, margins, np.inf)
        at = int(np.argmin(seen))
        margin = float(min(seen[at], at_most))
        bad = margin < 0.0 or (reached and margin <= 0.0)
        return Verdict(self.id, "violated" if bad else "held", text, margin, self.unit, int(table["cycle"][at]))


def joined(verdicts: list[Verdict]) -> Verdict:
    """Several looks at one property: the worst of them."""
    judged = [v for v in verdicts if v.outcome != "not_applicable"]
    if not judged:
        return verdicts[0]
    return min(judged, key=lambda v: (v.outcome != "violated", np.inf if v.margin is None else v.margin))
