"""One run that is to be done: a value that says everything about it, and that any process can carry out."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..config.files import canonical_json

Part = Literal["fault_free", "grid", "pairs", "swarm", "guided"]
Way = Literal["whole", "fork"]
FaultData = Mapping[str, Any]  # a fault as a schedule file has it
NO_FAULTS = canonical_json({"faults": [], "kind": "faults", "name": "none"})


@dataclass(frozen=True, slots=True)
class Labels:
    """What the tables of a report sort by. Of several faults: those of the first, ids of all."""

    modes: str = ""  # ids with spaces between
    phase: str = ""
    size: str = ""
    lasts: str = ""
    relation: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A session, its luck, and what goes wrong in it."""

    position: int  # in the campaign
    id: str
    part: Part
    session: str
    seed: int
    schedule: str  # canonical JSON of a schedule file
    labels: Labels = Labels()
    workflow: str | None = None
    machine: str | None = None
    way: Way = "whole"
    twin_of: str = ""  # the same run once more: its digest must be the same

    @property
    def faults(self) -> list[dict[str, Any]]:
        """As a schedule file has them."""
        found: list[dict[str, Any]] = json.loads(self.schedule)["faults"]
        return found

    @property
    def place(self) -> tuple[str, str | None, str | None, int]:
        """What runs that can share a beginning have in common."""
        return self.session, self.workflow, self.machine, self.seed


def schedule_text(faults: Sequence[FaultData], name: str) -> str:
    """Canonical JSON: the same faults are the same text."""
    return canonical_json({"faults": [dict(fault) for fault in faults], "kind": "faults", "name": name}) if faults else NO_FAULTS


def case_id(session: str, workflow: str | None, machine: str | None, seed: int, faults: Sequence[FaultData]) -> str:
    """12 hex digits of what is run: the same run has the same id in every campaign."""
    content = canonical_json([session, workflow, machine, seed, [dict(fault) for fault in faults]])
    return hashlib.sha256(content.encode()).hexdigest()[:12]
