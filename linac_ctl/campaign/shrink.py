"""A failing schedule made small: as few faults as it takes, then the simplest moments, lengths and settings that still fail.

Which subsets are tried follows Zeller's ddmin: halves first, then finer pieces, until no single fault can be left out.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from .case import Case, FaultData, case_id, schedule_text
from .row import Row

Faults = tuple[FaultData, ...]
Runs = Callable[[Sequence[Case]], list[Row]]  # rows of these cases, in any order
TIME_PLACES = (0, 1)  # decimals of a second that are tried
DIGITS = (1, 2)  # significant ones of a setting
ALIKE = ("reaction ", " MU after ", "tripped without a cause", "nothing should have", "did not end", "judged")


def same_failure(row: Row, first: Row) -> bool:
    """Is this what was wrong before? A violation is the same if one invariant is; all else by its verdict and the words of why."""
    if first.violated:
        return bool({*row.violated} & {*first.violated})
    return row.verdict == first.verdict and not row.violated and words(row) == words(first)


def words(row: Row) -> tuple[str, ...]:
    """Which of the sentences of a verdict it is: without numbers and names. Whoever was missed was missed."""
    return () if row.verdict == "missed" else tuple(word for word in ALIKE if word in row.reason)


@dataclass(slots=True)
class Shrinker:
    """What is known of a failing case and its smaller versions. Nothing is run twice."""

    case: Case
    first: Row
    runs: Runs
    known: dict[str, bool] = field(default_factory=dict)
    tried: int = 0
    row: Row | None = None  # of the smallest that failed

    def fails(self, *several: Faults) -> int | None:
        """Index of the first of these that fails in the same way; None if none does. All are run at once."""
        cases = [self.smaller(faults) for faults in several]
        fresh = {case.id: case for case in cases if case.id not in self.known}
        self.tried += len(fresh)
        rows = {row.case_id: row for row in self.runs([*fresh.values()])} if fresh else {}
        self.known |= {name: same_failure(row, self.first) for name, row in rows.items()}
        for k, case in enumerate(cases):
            if self.known.get(case.id):
                self.row = rows.get(case.id, self.row)
                return k
        return None

    def smaller(self, faults: Faults) -> Case:
        """The case with these faults instead."""
        case = self.case
        name = case_id(case.session, case.workflow, case.machine, case.seed, faults)
        return replace(case, id=name, schedule=schedule_text(faults, name))


def shrunk(case: Case, row: Row, runs: Runs) -> tuple[Case, Row, int]:
    """-> (smallest case that fails in the same way, its row, runs that took)."""
    shrinker = Shrinker(case, row, runs, row=row)
    faults = fewest(tuple(case.faults), shrinker.fails)
    faults = simplest(faults, shrinker.fails)
    small = shrinker.smaller(faults)
    return small, shrinker.row or row, shrinker.tried


def fewest(faults: Faults, fails: Callable[..., int | None]) -> Faults:
    """Subsets and their complements, ever finer, until nothing can be left out."""
    pieces = 2
    while len(faults) > 1:
        parts = cut(faults, pieces)
        smaller = [linked(part) for part in parts]
        smaller += [linked(tuple(one for other in parts if other is not part for one in other)) for part in parts if pieces > 2]
        smaller = [*{keyed(some): some for some in smaller if some and len(some) < len(faults)}.values()]
        found = fails(*smaller) if smaller else None
        if found is not None:
            faults, pieces = smaller[found], 2
        elif pieces < len(faults):
            pieces = min(2 * pieces, len(faults))
        else:
            break
    return faults


def cut(faults: Faults, pieces: int) -> list[Faults]:
    """In so many pieces of about the same length."""
    edges = [k * len(faults) // pieces for k in range(pieces + 1)]
    return [faults[a:b] for a, b in pairwise(edges)]


def linked(faults: Faults) -> Faults:
    """Without those that wait for a fault which is not there."""
    left = faults
    while True:
        names = {one["id"] for one in left}
        kept = tuple(one for one in left if one["when"].get("fault", one["id"]) in names)
        if len(kept) == len(left):
            return kept
        left = kept


def keyed(faults: Faults) -> tuple[str, ...]:
    """Something that can be counted."""
    return tuple(schedule_text((one,), "") for one in faults)


def simplest(faults: Faults, fails: Callable[..., int | None]) -> Faults:
    """Each fault as simple as it can be while the others stay; over and over until nothing gets simpler."""
    while True:
        before = faults
        for k in range(len(faults)):
            faults = simpler(faults, k, fails)
        if faults == before:
            return faults


def simpler(faults: Faults, k: int, fails: Callable[..., int | None]) -> Faults:
    """One of them: of every kind of change, the first that still fails."""
    for change in (lengths, moments, settings):
        several = [(*faults[:k], one, *faults[k + 1:]) for one in change(faults[k])]
        found = fails(*several) if several else None
        if found is not None:
            faults = several[found]
    return faults


def lengths(one: FaultData) -> Iterator[dict[str, Any]]:
    """For good; or as long in simpler words."""
    lasts = one.get("lasts")
    if not lasts:
        return
    yield {name: value for name, value in one.items() if name != "lasts"}
    if "every_s" in lasts:
        yield {**one, "lasts": {name: value for name, value in lasts.items() if name not in ("every_s", "times")}}


def moments(one: FaultData) -> Iterator[dict[str, Any]]:
    """At once, or at a rounder time after."""
    when = one["when"]
    after_s = float(when.get("after_s", 0.0))
    plain = {name: value for name, value in when.items() if name != "after_s"}
    for time_s in dict.fromkeys([0.0, *(round(after_s, places) for places in TIME_PLACES)]):
        if time_s != after_s:
            yield {**one, "when": plain | ({"after_s": time_s} if time_s else {})}


def settings(one: FaultData) -> Iterator[dict[str, Any]]:
    """All as usual; one as usual; numbers of fewer digits."""
    given = one.get("set")
    if not given:
        return
    bare = {name: value for name, value in one.items() if name != "set"}
    yield bare
    for name, value in given.items():
        rest = {key: other for key, other in given.items() if key != name}
        if rest:
            yield {**bare, "set": rest}
        if isinstance(value, float):
            yield from ({**bare, "set": {**given, name: short}} for short in shorter(value))


def shorter(value: float) -> list[float]:
    """The same to one and to two digits, where that is another number."""
    if value == 0.0 or not math.isfinite(value):
        return []
    return [short for short in dict.fromkeys(float(f"{value:.{digits}g}") for digits in DIGITS) if short != value]
