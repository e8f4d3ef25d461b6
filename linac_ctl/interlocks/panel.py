"""What people see of the interlock table, and how they reset it: who, in which role, why, old and new value."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from device_models.interface.image import DT_S

from ..control.phases import Reaction
from ..control.signals import signal_index
from ..control.state import Control
from ..errors import RefusedError
from .table import Interlock, InterlockTable, Role

MAY_RESET: dict[str, tuple[Role, ...]] = {
    "therapist": ("therapist", "physician", "physicist", "engineer"),
    "physician": ("physician", "physicist"),
    "physicist": ("physicist", "engineer"),
    "engineer": ("engineer",),
}
ABSURD = 1e9  # nobody reads the digits of what is larger
MOST_DOSE_RESETS = 1  # the same dose latch a second time in one field is not for the console any more


@dataclass(frozen=True, slots=True)
class Trip:
    """One row in force."""

    id: str
    name: str
    kind: str
    cycle: int
    value: float
    fine: str
    signal: str
    latched: bool
    reset_role: str
    stop: str  # inhibit, hold, interrupt, terminate or estop
    first_out: bool = False

    @property
    def text(self) -> str:
        """For people: what, value, limit, when."""
        return f"{self.id}: {self.signal} {shown(self.value)}, fine is {self.fine}, at {self.cycle * DT_S:.2f} s"


def shown(value: float) -> str:
    """To a thousandth; what is absurd by its size only."""
    return f"{value:.3f}" if not abs(value) >= ABSURD else f"{value:.3g}"


def stop_of(row: Interlock, reaction: int) -> str:
    """Which of the four kinds of stop a row is, or an E-stop."""
    if row.catalogue_name == "ESTOP":
        return "estop"
    for bit, name in ((Reaction.TERMINATE, "terminate"), (Reaction.BEAM_OFF, "interrupt"), (Reaction.MOTION_STOP, "interrupt"),
                      (Reaction.BEAM_HOLD, "hold")):
        if reaction & int(bit):
            return name
    return "inhibit"


class Panel:
    """Reads and resets the rows of one machine."""

    def __init__(self, table: InterlockTable, control: Control) -> None:
        self.table, self.control = table, control
        self.history: list[Trip] = []
        self.resets: list[dict[str, Any]] = []
        self.dose_resets: dict[str, int] = {}
        self._seen: dict[str, tuple[int, str]] = {}
        self._place = {row.id: i for i, row in enumerate(table.rows)}

    def active(self) -> list[Trip]:
        """Rows in force, first-out first; rows of the same cycle in the order of the table."""
        begun = self.control.interlocks["first_cycle"]
        return [self._trip(i) for i in sorted(np.flatnonzero(self._in_force()).tolist(), key=lambda i: (int(begun[i]), i))]

    def in_force(self, i: int) -> bool:
        """Either copy of the latch or its count says so, or the row has escalated."""
        return bool(self._in_force()[i])

    def _in_force(self) -> Any:
        """(rows,) bool, as `scan` has it."""
        rows = self.control.interlocks
        counted = (rows["latched"] == 1) & (rows["holds"] > 0)
        return (rows["tripped"] != 0) | (rows["tripped_copy"] != 1) | counted | (rows["escalated"] != 0)

    def stands(self, name: str) -> bool:
        """Is the row of this id in force? False where the table has none."""
        return name in self._place and self.in_force(self._place[name])

    def _reaction(self, i: int) -> int:
        rows = self.control.interlocks
        return int(rows["reaction"][i]) | (int(rows["escalates_to"][i]) if rows["escalated"][i] else 0)

    def _trip(self, i: int) -> Trip:
        rows, row = self.control.interlocks, self.table.rows[i]
        latched = self.table.latched(row) or bool(rows["escalated"][i])
        return Trip(row.id, row.catalogue_name, row.kind, int(rows["first_cycle"][i]), float(rows["value"][i]), row.fine,
                    row.signal, latched, self.table.reset_role(row), stop_of(row, self._reaction(i)))

    def note_new(self) -> list[Trip]:
        """Trips since the last look, kept in `history`; a hold that escalates is one more."""
        active = self.active()
        new = [t for t in active if self._seen.get(t.id) != (t.cycle, t.stop)]
        before = [t for t in active if self._seen.get(t.id, (-1, ""))[0] == t.cycle]  # those that escalate among them
        quiet_before = all(t.stop == "inhibit" for t in before)
        for i, trip in enumerate(new):
            self._seen[trip.id] = trip.cycle, trip.stop
            first = quiet_before and trip.stop != "inhibit" and not [t for t in new[:i] if t.stop != "inhibit"]
            new[i] = replace(trip, first_out=first)
        self.history += new
        return new

    def explain(self, mask: int = int(Reaction.BEAM_OFF | Reaction.MOTION_STOP | Reaction.BEAM_HOLD | Reaction.PREVENT_START)
                ) -> list[str]:
        """One line per row in force whose reaction is in `mask`, first-out first."""
        return [t.text for t in self.active() if self._reaction(self._place[t.id]) & mask]

    def find(self, name: str) -> int:
        """Row of an id; RefusedError when there is none."""
        if name in self._place:
            return self._place[name]
        raise RefusedError(f"interlock {name!r}: no such row; `linac-ctl interlocks list` shows all")

    def reset(self, name: str, *, who: str, role: str, reason: str) -> None:
        """Clear one latch. RefusedError if its cause is still there, the role is wrong, or there is no reason."""
        i = self.find(name)
        row, rows = self.table.rows[i], self.control.interlocks
        self._may_reset(row, i, role, reason)
        self.resets.append({"id": name, "who": who, "role": role, "reason": reason, "cycle": int(self.control.job["cycle"][0]),
                            "value": float(rows["value"][i]), "tripped_cycle": int(rows["first_cycle"][i])})
        if row.dose:
            self.dose_resets[name] = self.dose_resets.get(name, 0) + 1
        for field, value in (("tripped", 0), ("tripped_copy", 1), ("escalated", 0), ("bad_cycles", 0), ("holds", 0)):
            rows[field][i] = value

    def _may_reset(self, row: Interlock, i: int, role: str, reason: str) -> None:
        rows, needed = self.control.interlocks, self.table.reset_role(row)
        if not self.in_force(i):
            raise RefusedError(f"interlock {row.id}: nothing to reset, it is not in force")
        if role not in MAY_RESET[needed]:
            raise RefusedError(f"interlock {row.id}: a {role} may not reset it; call a {needed}")
        if not reason.strip():
            raise RefusedError(f"interlock {row.id}: a reset needs a reason")
        value = float(self.control.signals[signal_index(row.signal)])
        if int(rows["bad_cycles"][i]) > 0 or (row.standing and not row.is_fine(value)):
            raise RefusedError(f"interlock {row.id}: its cause is still there: {row.signal} {shown(value)}, fine is {row.fine}")
        if row.dose and self.dose_resets.get(row.id, 0) >= MOST_DOSE_RESETS and role != "engineer":
            raise RefusedError(f"interlock {row.id}: reset {self.dose_resets[row.id]} time(s) in this field already; the dose "
                               f"monitor itself may be at fault: an engineer has to look, the field is terminated")

    def new_field(self) -> None:
        """Counts that are per field start again; latches stay."""
        self.control.interlocks["holds"] = 0
        self.dose_resets = {}

    def latches(self) -> dict[str, dict[str, Any]]:
        """What has to survive a restart: latched rows in force."""
        return {t.id: {"cycle": t.cycle, "value": t.value, "reset_role": t.reset_role} for t in self.active() if t.latched}

    def restore(self, latches: dict[str, dict[str, Any]]) -> None:
        """After a restart: latched stays latched, and so does a hold that had escalated."""
        rows = self.control.interlocks
        for name in sorted(latches):
            i = self.find(name)
            rows["tripped"][i], rows["tripped_copy"][i] = 1, 0
            rows["escalated"][i] = 0 if self.table.latched(self.table.rows[i]) else 1
            rows["first_cycle"][i], rows["value"][i] = 0, latches[name].get("value", float("nan"))
