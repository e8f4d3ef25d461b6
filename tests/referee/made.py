"""A healthy run made by hand: 1000 cycles, one field of 20 MU at 10 MU/s. Tests take a copy and break something in it.

    100-101   channel armed, counters cleared       150-359   phase BEAM, permit given
    130       self-tests have passed                156-355   pulses: 0.1 MU in each of 200 cycles
    140       READY                                 360       idle again
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from device_models.referee.columns import ROW, Flag
from device_models.referee.judging.facts import ApprovalFact, BeamFact, Cause, Facts, ImageFact, RowFact, ShiftFact
from device_models.referee.judging.referee import judge
from device_models.referee.judging.verdict import Verdict

CYCLES, ARMED, TESTED, READY, ON, FIRST, LAST, OFF = 1000, 100, 130, 140, 150, 156, 356, 360
MU, PER_CYCLE = 20.0, 0.1
IDLE, MOVE, READY_PHASE, BEAM, STOPPED = 1, 2, 4, 8, 16
USUAL = (Flag.CHANNEL | Flag.CHAIN | Flag.HEARTBEAT | Flag.HV_ON | Flag.HV_REQUEST | Flag.DOOR | Flag.ESTOP | Flag.MAINS | Flag.BAR
         | Flag.GUARD | Flag.KEY | Flag.PATIENT | Flag.ALIVE | Flag.DRIVES)
MU_DIS, MLC_POS, COLLISION, START, ESTOP = range(5)
ROWS = (
    RowFact("MU_DIS", "T", True, True, False), RowFact("MLC_POS", "R", False, True, False, 20, 10, 500),
    RowFact("COLLISION", "M", True, True, True), RowFact("START_GUARD", "P", False, True, False),
    RowFact("ESTOP", "H", True, True, True),
)
LEAF_MM = np.array([10.0, 10.0, -10.0, -10.0])
COUCH = (5.0, -20.0, 3.0, 0.0, 0.5, -0.5)
IMAGED, APPROVED = 20, 60  # cycles


def beam_fact(**changes: Any) -> BeamFact:
    """The field: a static one at 0 deg."""
    n = 3
    return replace(BeamFact(
        1, MU, 0, 2.0, np.linspace(0.0, MU, n), np.zeros(n), np.zeros(n), np.tile([-20.0, 20.0, -20.0, 20.0], (n, 1)),
        np.tile(LEAF_MM, (n, 1)), COUCH, 0.0, MU), **changes)


def approval(**changes: Any) -> ApprovalFact:
    """Of the images at IMAGED, for where the couch stands."""
    return replace(ApprovalFact(APPROVED, IMAGED, ("i1",), COUCH, ("ann", "bob"), "p", "plan", "p"), **changes)


def shift(**changes: Any) -> ShiftFact:
    """No way at all, between approval and READY."""
    return replace(ShiftFact(APPROVED, READY, COUCH, (0.0,) * 6, 2), **changes)


class Made:
    """Rows and facts of the healthy run; `set` breaks a column, `flag` a bit, `trip` an interlock row."""

    def __init__(self) -> None:
        self.rows = np.zeros(CYCLES, ROW)
        self.leaves = np.tile(LEAF_MM, (LAST - FIRST, 1)).astype(np.float32)
        self.facts = Facts(
            beams=(beam_fact(),), rows=ROWS, rates_mu_per_s=(10.0, 40.0), kv_place_mm=(1000.0, -500.0),
            v_max={"gantry": (7.1,), "couch": (25.0,) * 6, "mlc": (36.5,)}, patient="p", plan="plan", needs_position=True,
            images=(ImageFact(IMAGED, ("i1",)),), approvals=(approval(),), ended="completed", ended_cycle=CYCLES)
        self._fill()

    def _fill(self) -> None:
        rows, cycle = self.rows, np.arange(CYCLES)
        rows["cycle"] = rows["clock"] = cycle
        rows["bits"] = int(USUAL)
        rows["pulses"][FIRST:LAST] = 4
        rows["total_mu"] = PER_CYCLE * np.clip(cycle - FIRST + 1, 0, LAST - FIRST)
        rows["mu_1"] = rows["mu_2"] = rows["backup_mu"] = rows["record_mu"] = rows["expected_mu"] = rows["total_mu"]
        rows["preset_mu"] = rows["loaded_mu"] = rows["end_mu"] = MU
        rows["prescription"], rows["session"], rows["beam"], rows["phase"] = 77, 5, 1, IDLE
        rows["phase"][READY:ON], rows["phase"][ON:OFF] = READY_PHASE, BEAM
        rows["passed"][TESTED:], rows["evaluated"] = 63, len(ROWS)
        rows["token_cycle"] = np.where(cycle > APPROVED, IMAGED, -1)
        rows["leaf_row"] = -1
        rows["leaf_row"][FIRST:LAST] = np.arange(LAST - FIRST)
        rows["energy"], rows["clearance_mm"], rows["rate_mu_per_s"] = 1.0, 100.0, 10.0
        rows["enable"] = rows["asked"] = 2047
        rows["limit_s"], rows["jaw_mm"], rows["couch"], rows["couch_set"] = 60.0, [-20.0, 20.0, -20.0, 20.0], COUCH, COUCH
        rows["kv_arm_mm"], rows["mv_arm_mm"], rows["carriage_mm"] = [1000.0, -500.0, 0.0, 0.0], [-850.0, 0.0, 0.0], [100.0, -100.0]
        self.flag(Flag.ARM | Flag.CLEAR_DOSE, ARMED, ARMED + 2)
        self.flag(Flag.PERMIT, ON, LAST)

    # --- what tests do to it

    def flag(self, bits: Flag, first: int, last: int, on: bool = True) -> "Made":
        """Set or take away bits in cycles first .. last - 1."""
        part = self.rows["bits"][first:last]
        self.rows["bits"][first:last] = part | int(bits) if on else part & ~int(bits)
        return self

    def set(self, name: str, first: int, last: int, value: Any) -> "Made":
        """A column in cycles first .. last - 1."""
        self.rows[name][first:last] = value
        return self

    def add(self, name: str, first: int, last: int, value: Any) -> "Made":
        """As `set`, on top of what is there."""
        self.rows[name][first:last] = self.rows[name][first:last] + value
        return self

    def trip(self, row: int, first: int, last: int = CYCLES, *, react: bool = True) -> "Made":
        """An interlock row in force at the ends of these cycles; `react`: permit and beam are gone from the next one on."""
        self.rows["tripped"][first:last, 0] |= 1 << row
        self.flag(Flag.INHIBIT, first, last)
        self.know(Cause(first, ROWS[row].id, "why"))
        return self.dark(first + 1, last) if react else self

    def dark(self, first: int, last: int) -> "Made":
        """No permit and no pulses in these cycles; the dose that is not given stays away."""
        self.flag(Flag.PERMIT, first, last, on=False)
        return self.pulses(first, last, 0, 0.0)

    def pulses(self, first: int, last: int, pulses: int, mu: float) -> "Made":
        """So much dose in each of these cycles; everything that counts dose follows."""
        dose = np.diff(self.rows["total_mu"], prepend=0.0)
        dose[first:last] = mu
        for name in ("total_mu", "mu_1", "mu_2", "backup_mu", "record_mu", "expected_mu"):
            self.rows[name] = np.cumsum(dose)
        self.rows["pulses"][first:last] = pulses
        lit = self.rows["pulses"] > 0
        self.rows["leaf_row"] = np.where(lit, np.cumsum(lit) - 1, -1)
        self.leaves = np.tile(LEAF_MM, (int(lit.sum()), 1)).astype(np.float32)
        return self

    def know(self, *causes: Cause) -> "Made":
        """Something on record."""
        self.facts = replace(self.facts, causes=(*self.facts.causes, *causes))
        return self

    def fact(self, **changes: Any) -> "Made":
        """Other facts."""
        self.facts = replace(self.facts, **changes)
        return self

    def verdict(self, name: str) -> Verdict:
        """The referee's."""
        return judge(self.rows, self.leaves, self.facts)[name]


Alter = Callable[[Made], Any]
Traces = dict[str, dict[str, Alter]]  # property -> what is done to a healthy run -> how


def cases(traces: Traces) -> list[Any]:
    """One per trace, for parametrize."""
    return [pytest.param(name, alter, id=f"{name}: {what}") for name, found in traces.items() for what, alter in found.items()]


def judged(name: str, alter: Alter) -> Verdict:
    """Of a healthy run to which this was done."""
    made = Made()
    alter(made)
    return made.verdict(name)


def shrinks(name: str, traces: Traces, healthy: Verdict) -> None:
    """A healthy run has something left; a violating one has nothing, and says so by its margin."""
    assert healthy.outcome == "held" and healthy.margin is not None
    for alter in traces[name].values():
        worse = judged(name, alter)
        assert worse.margin is not None and worse.margin <= 0.0 < healthy.margin, (worse, healthy)


def move(made: Made, name: str, lane: int | None, first: int, way: Any, last: int = CYCLES) -> Made:
    """An axis goes along `way` from cycle `first` on and stays at its end."""
    column = made.rows[name] if lane is None else made.rows[name][:, lane]
    way = np.asarray(way, float)
    column[first : first + len(way)] += way
    column[first + len(way) : last] += way[-1]
    return made


def ramp(per_s: float, cycles: int) -> Any:
    """A way at constant speed."""
    return per_s * 0.01 * np.arange(1, cycles + 1)
