"""Guided search: schedules that came closer to a limit, or went where none has been, have offspring."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from . import draw
from .case import Case, FaultData, case_id, schedule_text
from .config import CampaignConfig, SessionChoice
from .expand import labels_of, random_fault, random_faults, visited_phases
from .faults import length
from .modes import Catalogue, chosen, settings_at
from .row import Row

SHRINKS = 0.02  # a margin has to fall by this share of its size to count as closer
FRESH = 0.2  # share of every generation that is drawn anew
CHANGES = ("moment", "size", "lasts", "add", "drop", "coincide", "mode")


@dataclass(frozen=True, slots=True)
class Parent:
    """A schedule that found something."""

    session: SessionChoice
    seed: int
    faults: tuple[dict[str, Any], ...]


class Search:
    """State of a search: a function of the rows that it was given, in order."""

    def __init__(self, config: CampaignConfig, catalogue: Catalogue, first_position: int) -> None:
        assert config.guided
        self.config, self.axes, self.generation, self.position = config, config.guided, 0, first_position
        self.modes = chosen(catalogue, self.axes.modes)
        self.by_id = {mode.id: mode for mode in self.modes}
        self.parents: list[Parent] = []
        self.visited: set[str] = set()
        self.closest: dict[str, float] = {}
        self.known: set[str] = set()
        self.drafts: dict[str, Parent] = {}

    def next(self) -> Iterator[Case]:
        """The cases of the next generation; different from each other and from all before."""
        for k in range(self.axes.runs):
            for attempt in range(20):
                key = (self.config.seed, "guided", self.generation, k, attempt)
                draft = self._child(*key) if self.parents and draw.share(*key, "fresh") >= FRESH else self._fresh(*key)
                name = case_id(draft.session.session, draft.session.workflow, draft.session.machine, draft.seed, draft.faults)
                if name not in self.known:
                    yield self._case(name, draft)
                    break
        self.generation += 1

    def _case(self, name: str, draft: Parent) -> Case:
        self.known.add(name)
        self.drafts[name] = draft
        self.position += 1
        where = draft.session
        return Case(self.position - 1, name, "guided", where.session, draft.seed, schedule_text(draft.faults, name),
                    labels_of(draft.faults), where.workflow, where.machine, "fork" if self.config.fork else "whole")

    def learn(self, rows: list[Row]) -> None:
        """What a generation has found, in the order of its cases."""
        for row in rows:
            if self._is_new(row):
                self.parents.insert(0, self.drafts[row.case_id])
        self.drafts.clear()
        del self.parents[self.axes.kept:]

    def _is_new(self, row: Row) -> bool:
        fresh = {*row.visited} - self.visited
        self.visited |= fresh
        closer = False
        for name, (value, _) in sorted(row.margins.items()):
            best = self.closest.get(name)
            if best is None or value < best - SHRINKS * abs(best):
                self.closest[name] = value
                closer = closer or best is not None
        return bool(fresh) or closer

    def _fresh(self, *key: object) -> Parent:
        session = draw.one(self.config.sessions, *key, "session")
        able = [mode for mode in self.modes if visited_phases(self.axes, session, mode)]
        faults = random_faults(self.axes, session, able, draw.number(1, min(3, self.axes.faults), *key, "faults"), *key)
        return Parent(session, draw.one(self.config.seeds, *key, "seed"), tuple(dict(one) for one in faults))

    def _child(self, *key: object) -> Parent:
        """A parent with one to three changes; the latest finds are the likeliest parents."""
        at = int(len(self.parents) * draw.share(*key, "parent") ** 2)
        parent = self.parents[at]
        faults = parent.faults
        for n in range(draw.number(1, 3, *key, "changes")):
            faults = self._changed(parent.session, faults, *key, n)
        return replace(parent, faults=faults)

    def _changed(self, session: SessionChoice, faults: tuple[dict[str, Any], ...], *key: object) -> tuple[dict[str, Any], ...]:
        what, at = draw.one(CHANGES, *key, "what"), draw.number(0, len(faults) - 1, *key, "at")
        if what == "drop" and len(faults) > 1:
            return faults[:at] + faults[at + 1:]
        if what == "add" and len(faults) < self.axes.faults:
            return (*faults, self._another(session, _free_name(faults), *key))
        if what == "coincide" and len(faults) > 1:
            other = faults[draw.number(0, len(faults) - 1, *key, "other")]
            return _with(faults, at, {**faults[at], "when": other["when"]})
        return _with(faults, at, self._altered(session, faults[at], what, *key))

    def _altered(self, session: SessionChoice, one: dict[str, Any], what: str, *key: object) -> dict[str, Any]:
        """The same fault at another moment, of another size or length; or another fault in its place."""
        mode = self.by_id[one["mode"]]
        if what == "moment":
            when = dict(one["when"])
            shift = draw.between(-0.2, 0.2, *key, "shift")
            return {**one, "when": {**when, "after_s": max(0.0, round(when.get("after_s", 0.0) + shift, 2))}}
        if what == "size" and mode.settings:
            place = draw.between(min(self.axes.sizes), max(self.axes.sizes), *key, "size")
            return {**one, "set": settings_at(mode, place, draw.number(0, 999, *key, "turn"))}
        if what == "lasts":
            kept = {name: value for name, value in one.items() if name != "lasts"}
            return kept | length(draw.one(self.axes.lasts, *key, "lasts"))
        return self._another(session, one["id"], *key)

    def _another(self, session: SessionChoice, name: str, *key: object) -> dict[str, Any]:
        able = [mode for mode in self.modes if visited_phases(self.axes, session, mode)]
        return random_fault(self.axes, session, draw.one(able, *key, "mode"), name, *key)


def _with(faults: tuple[FaultData, ...], at: int, one: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    return tuple(one if k == at else dict(each) for k, each in enumerate(faults))


def _free_name(faults: tuple[FaultData, ...]) -> str:
    taken = {one["id"] for one in faults}
    return next(f"f{n}" for n in range(1, len(faults) + 2) if f"f{n}" not in taken)
