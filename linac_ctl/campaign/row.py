"""What is kept of a run: one row. Everything a report says follows from rows."""

import re
from dataclasses import dataclass, field, fields, replace
from typing import Literal

from .case import Case

Verdict = Literal["passed", "failed", "missed", "harmless", "not_activated", "not_reachable", "crashed"]
Outcome = Literal["completed", "abandoned", "refused", "stuck", "killed", "crashed"]
Reaction = Literal["none", "prevent_start", "prevent_motion", "beam_hold", "beam_off", "motion_stop"]
Margins = dict[str, tuple[float, str]]  # SI-xx -> how close it came, unit
SCRATCH = re.compile(r"\S*/linac-ctl-[^/\s]*/")  # damaged plans lie in folders with names of their own every time
MOST_WORDS = 300  # characters
VOLATILE = ("seconds", "retries", "way", "fork_of")  # how the run was done, not what came of it: no part of a table's digest


@dataclass(frozen=True, slots=True)
class Row:
    """One run. None: there was nothing to measure.

    `_ms` from the effective time; of several faults, that of the one with the worst verdict.
    """

    case_id: str
    position: int
    part: str
    session: str
    seed: int
    verdict: Verdict
    outcome: Outcome
    workflow: str = ""
    machine: str = ""
    modes: str = ""
    phase: str = ""
    size: str = ""
    lasts: str = ""
    relation: str = ""
    severity: str = ""  # the worst of its modes
    schedule: str = ""
    schedule_sha256: str = ""
    code_version: str = ""
    way: str = "whole"
    fork_of: str = ""
    twin_of: str = ""
    digest: str = ""
    reason: str = ""  # why not passed; what ended the session
    activated: bool = False
    injected_s: float | None = None
    effective_ms: float | None = None
    due: bool = False  # effective for long enough, with beam or motion, that a reaction was owed
    detected: str = ""  # the row that tripped first, if it did within the limits of the mode
    first_out: str = ""  # the row that tripped first after the effective time
    reaction: Reaction = "none"
    detection_ms: float | None = None
    reaction_ms: float | None = None
    trip_to_permit_ms: float | None = None
    due_ms: float | None = None  # from here on somebody has to notice; None = never
    detection_limit_ms: float | None = None
    mu_limit: float | None = None
    mu_after_eff: float | None = None
    excess_mu: float | None = None
    worst_miss_mm: float | None = None
    weighted_miss_mm: float | None = None
    displaced_ms: float | None = None  # longest beam with the couch more than 2 mm from its place
    displaced_goal_ms: float | None = None  # the same with 1.5 mm
    travel_after_stop_mm: float | None = None
    false_trip: str = ""
    judged: bool = False
    violated: tuple[str, ...] = ()
    margins: Margins = field(default_factory=dict)
    liveness: str = ""
    visited: tuple[str, ...] = ()  # state:interlock pairs that this run reached
    simulated_s: float = 0.0
    seconds: float = 0.0
    retries: int = 0

    @property
    def bad(self) -> bool:
        """Somebody has to look at it."""
        return self.verdict in ("failed", "missed", "crashed")

    @property
    def missed(self) -> bool:
        """Nobody reacted in time to a fault that asked for it, whatever else was wrong."""
        return self.verdict == "missed" or (self.verdict == "failed" and self.activated and self.due and not self.detected)

    def stable(self) -> dict[str, object]:
        """What must be the same however often and wherever the run is done."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in VOLATILE}


def why(error: Exception) -> str:
    """What an error says, without folders that have another name in every run."""
    return SCRATCH.sub("", str(error))[:MOST_WORDS]


def crashed(case: Case, retries: int, reason: str, code_version: str) -> Row:
    """The row of a run that took its worker with it every time."""
    return replace(of_case(case, code_version), reason=reason, retries=retries)


def of_case(case: Case, code_version: str) -> Row:
    """A row with everything that is known before the run."""
    from hashlib import sha256

    labels = case.labels
    return Row(
        case.id, case.position, case.part, case.session, case.seed, "crashed", "crashed", case.workflow or "", case.machine or "",
        labels.modes, labels.phase, labels.size, labels.lasts, labels.relation, schedule=case.schedule,
        schedule_sha256=sha256(case.schedule.encode()).hexdigest(), code_version=code_version, way=case.way, twin_of=case.twin_of)
