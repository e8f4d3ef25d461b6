"""What only the run knows, in neutral values: who was treated by which plan, what people did, what was injected when.

Whoever composes a run fills this from its own records; the referee sees nothing else of the controller.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Six = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class InjectedFact:
    """One fault of a schedule. Cycles; None = it never became effective, was never cleared."""

    id: str
    mode: str = ""  # of the catalogue of faults, like "DOS-02"; empty = a signal or parameter
    effective_cycle: int | None = None
    cleared_cycle: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class BeamFact:
    """One beam of the plan, straight from the plan file: n control points against MU. Angles deg, places mm, IEC 61217."""

    number: int
    mu: float
    mode: int  # index of the machine's table of modes
    planned_s: float  # beam-on time without holds
    cumulative_mu: Any  # (n,)
    gantry_deg: Any  # (n,)
    collimator_deg: Any  # (n,)
    jaw_mm: Any  # (n, 4) in the order of the machine; NaN = not given
    leaf_mm: Any  # (n, leaves), or None
    couch: Six  # NaN = not given
    start_mu: float = 0.0  # MU on record from earlier partial deliveries
    recorded_mu: float | None = None  # what the record says at the end; None = the beam was not begun


@dataclass(frozen=True, slots=True)
class RowFact:
    """One interlock row as the table declares it, in the order of the table."""

    id: str
    kind: str  # H T I R P M
    latched: bool
    inhibits: bool  # forbids beam
    stops_motion: bool
    clear_cycles: int = 1
    most_holds: int = 0
    longest_cycles: int = 0


@dataclass(frozen=True, slots=True)
class Cause:
    """Something on record that explains why the beam stopped."""

    cycle: int
    what: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class ResetFact:
    """Somebody cleared a latched row."""

    row: str
    cycle: int


@dataclass(frozen=True, slots=True)
class ImageFact:
    """One acquisition: cycle of its last frame, and whose it is."""

    cycle: int
    uids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApprovalFact:
    """Who approved which match, and where the couch has to stand for it, mm and deg."""

    cycle: int
    image_cycle: int
    uids: tuple[str, ...]
    couch: Six
    people: tuple[str, ...]
    patient: str
    plan: str
    reference_patient: str  # of the CT that was matched with


@dataclass(frozen=True, slots=True)
class ShiftFact:
    """One couch shift: cycles of its order and its end, absolute targets, and by how much; mm and deg."""

    first_cycle: int
    last_cycle: int
    targets: Six
    change: Six
    people: int  # who approved it


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """See the module's first lines."""

    beams: tuple[BeamFact, ...] = ()
    rows: tuple[RowFact, ...] = ()
    rates_mu_per_s: tuple[float, ...] = (10.0,)  # highest of every mode of the machine
    v_max: dict[str, tuple[float, ...]] = field(default_factory=dict)  # device -> top speed of each axis, unit per s
    kv_place_mm: tuple[float, float] | None = None  # source and detector while imaging, vertical
    injected: tuple[InjectedFact, ...] = ()
    provoked: tuple[str, ...] = ()  # acts of people that must stop a machine: door, emergency stop, stop button ...
    causes: tuple[Cause, ...] = ()
    resets: tuple[ResetFact, ...] = ()
    patient: str = ""
    plan: str = ""
    needs_position: bool = False  # this workflow approves where the patient is before every beam
    kv_with_beam: bool = False  # the protocol takes kV images during the beam
    images: tuple[ImageFact, ...] = ()
    approvals: tuple[ApprovalFact, ...] = ()
    shifts: tuple[ShiftFact, ...] = ()
    outside: tuple[str, ...] = ()  # devices that are no part of this simulation
    ended: str = "completed"  # completed, abandoned, stuck
    ended_cycle: int = 0
    longest_state_s: float = 7200.0
    beam_phase: int = 8  # what the controller calls its phases
    armed_phase: int = 4
    moving_phase: int = 2
    idle_phases: tuple[int, ...] = (1, 16)

    def beam(self, number: int) -> BeamFact | None:
        """Of the plan; None for a field that only makes an image."""
        return next((beam for beam in self.beams if beam.number == number), None)

    def effective(self) -> Any:
        """Sorted cycles at which faults became effective."""
        return np.array(sorted(one.effective_cycle for one in self.injected if one.effective_cycle is not None), np.int64)

    def modes(self) -> tuple[str, ...]:
        """Of the faults that became effective."""
        return tuple(one.mode for one in self.injected if one.effective_cycle is not None)
