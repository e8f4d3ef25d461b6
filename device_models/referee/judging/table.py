"""A finished trace as columns, and what many properties need of it: fields, faults so far, speeds."""

from functools import cached_property
from typing import Any

import numpy as np

from ..columns import LATCH_WORDS, Flag
from .facts import Facts
from .runs import forward, run_length

DT_S, CYCLE_MS = 0.01, 10.0
FAR = 1e6  # mm or deg per s: no speed, a jump of an encoder
LINEAR, ANGULAR = "mm", "deg"


class Table:
    """Rows of one run; every column is made once, when it is asked for first."""

    def __init__(self, rows: Any, leaves: Any, facts: Facts) -> None:
        self._rows, self.leaves, self.facts = rows, leaves, facts
        self._columns: dict[str, Any] = {}
        self._speeds: dict[str, Any] = {}
        self._holds: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, name: str) -> Any:
        """One column, contiguous."""
        if name not in self._columns:
            self._columns[name] = np.ascontiguousarray(self._rows[name])
        return self._columns[name]

    def lane(self, name: str, i: int) -> Any:
        """One of several figures of a column, contiguous."""
        key = f"{name} {i}"
        if key not in self._columns:
            self._columns[key] = np.ascontiguousarray(self._rows[name][:, i])
        return self._columns[key]

    def has(self, flag: Flag) -> Any:
        """(n,) bool: all of these bits are set."""
        return (self["bits"] & int(flag)) == int(flag)

    @cached_property
    def beam(self) -> Any:
        """(n,) bool: pulses in this cycle."""
        return self["pulses"] > 0

    @cached_property
    def dose(self) -> Any:
        """(n,) MU of each cycle, truth."""
        return np.diff(self["total_mu"], prepend=self["total_mu"][:1])

    @cached_property
    def faults(self) -> Any:
        """(n,) number of faults effective so far."""
        return np.searchsorted(self.facts.effective(), self["cycle"], side="right")

    def holds(self, most: int) -> Any:
        """(n,) bool: no more than so many faults are effective."""
        if most not in self._holds:
            self._holds[most] = self.faults <= most
        return self._holds[most]

    @cached_property
    def scale(self) -> Any:
        """(n,) highest rate of the mode in hand against 600 MU/min: dose limits go with it, times do not."""
        rates = np.array(self.facts.rates_mu_per_s)
        return rates[np.clip(self["mode"], 0, len(rates) - 1)] / 10.0

    # --- fields: from one arming to the next

    @cached_property
    def armed_at(self) -> Any:
        """(n,) row of the last cycle in which the channel was armed; -1 = never yet."""
        arming = self.has(Flag.ARM) & ~self.has(Flag.PERMIT)
        return np.maximum.accumulate(np.where(arming, np.arange(len(self)), -1))

    def at_arming(self, name: str) -> Any:
        """(n,) a column's value two cycles after the last arming, when everybody has heard of it."""
        after = np.minimum(self.armed_at + 2, np.arange(len(self)))
        return self[name][np.maximum(after, 0)]

    @cached_property
    def number(self) -> Any:
        """(n,) beam number of the field in hand: what the controller called it when it armed the channel."""
        return np.where(self.armed_at < 0, -1, self["beam"][np.maximum(self.armed_at, 0)])

    @cached_property
    def prescribed(self) -> Any:
        """(n,) MU of the field in hand: the plan's, or the channel's preset for a field that only makes an image."""
        found = np.where(self.armed_at < 0, np.nan, self["preset_mu"][np.maximum(self.armed_at, 0)])
        for beam in self.facts.beams:
            found = np.where(self.number == beam.number, beam.mu, found)
        return found

    @cached_property
    def field_mu(self) -> Any:
        """(n,) true MU of the field in hand, all deliveries together: what is on record from earlier runs counts."""
        given = np.zeros(len(self))
        for number in np.unique(self.number):
            mine = self.number == number
            known = self.facts.beam(int(number))
            dose = np.where(mine, self.dose, 0.0)
            if known is None:  # images: every arming is a field of its own
                total = np.cumsum(dose)
                given[mine] = (total - total[np.maximum(self.armed_at, 0)])[mine]
            else:
                given[mine] = known.start_mu + np.cumsum(dose)[mine]
        return given

    # --- interlocks

    @cached_property
    def latched(self) -> Any:
        """(n, rows) bool: which interlock rows were in force at the end of each cycle."""
        words = self["tripped"].astype(np.uint64)
        bits = np.unpackbits(words.view(np.uint8).reshape(len(self), 8 * LATCH_WORDS), axis=1, bitorder="little")
        return bits[:, : len(self.facts.rows)].astype(bool)

    def any_row(self, wanted: list[bool]) -> Any:
        """(n,) bool: one of these rows is in force."""
        mask = np.zeros(LATCH_WORDS * 64, bool)
        mask[: len(wanted)] = wanted
        words = np.packbits(mask, bitorder="little").view(np.int64)
        return ((self["tripped"] & words) != 0).any(axis=1)

    @cached_property
    def inhibited(self) -> Any:
        """(n,) bool: a row that forbids beam by its declaration is in force, or the controller says that one is."""
        return self.any_row([row.inhibits for row in self.facts.rows]) | self.has(Flag.INHIBIT)

    # --- axes

    @cached_property
    def power(self) -> dict[str, Any]:
        """Device -> (n,) bool: drive power is asked for, and neither mains, emergency stop nor safety channel keeps it back."""
        supply = self.has(Flag.MAINS | Flag.ESTOP | Flag.DRIVES)
        return {name: supply & ((self["enable"] >> bit) & 1 > 0) for bit, name in enumerate(
            ("gantry", "collimator", "jaws", "mlc", "carriages", "couch", "kv_arms", "mv_arm"))}

    @cached_property
    def axes(self) -> dict[str, tuple[str, str, Any]]:
        """Axis -> (device, unit, (n,) place). Axes that are not fitted are left out."""
        found: dict[str, tuple[str, str, Any]] = {
            "gantry": ("gantry", ANGULAR, self["gantry_deg"]), "collimator": ("collimator", ANGULAR, self["collimator_deg"]),
        }
        for device, column in (("jaws", "jaw_mm"), ("carriages", "carriage_mm"), ("kv_arms", "kv_arm_mm"), ("mv_arm", "mv_arm_mm")):
            found |= {f"{device} {i + 1}": (device, LINEAR, self.lane(column, i)) for i in range(self._rows[column].shape[1])}
        names = ("lateral", "longitudinal", "vertical", "rotation", "pitch", "roll")
        found |= {f"couch {name}": ("couch", LINEAR if i < 3 else ANGULAR, self.lane("couch", i)) for i, name in enumerate(names)}
        return {name: axis for name, axis in found.items() if len(self) and np.isfinite(axis[2][-1])}

    @cached_property
    def watched(self) -> dict[str, tuple[str, str, Any]]:
        """As `axes`, of this simulation alone: a line says where a device outside is, not how it got there in ten milliseconds."""
        return {name: axis for name, axis in self.axes.items() if axis[0] not in self.facts.outside}

    def speed(self, name: str) -> Any:
        """(n,) unit per s of an axis, from one cycle to the next; 0 where it is not known."""
        if name not in self._speeds:
            place = self.axes[name][2]
            step = np.zeros(len(place), np.float32)
            np.subtract(place[1:], place[:-1], out=step[1:])
            step *= np.float32(1.0 / DT_S)
            step[~(np.abs(step) < FAR)] = 0.0
            self._speeds[name] = step
        return self._speeds[name]

    @cached_property
    def still_setpoint(self) -> dict[str, Any]:
        """Axis -> (n,) cycles for which nobody has asked it to go anywhere else."""
        sets = {"gantry": self["gantry_set_deg"], "collimator": self["collimator_set_deg"]}
        names = ("lateral", "longitudinal", "vertical", "rotation", "pitch", "roll")
        sets |= {f"couch {name}": self.lane("couch_set", i) for i, name in enumerate(names)}
        return {name: run_length(np.diff(at, prepend=at[:1]) == 0.0) for name, at in sets.items() if name in self.axes}

    def setpoint(self, name: str) -> Any:
        """(n,) where an axis should be; only of those in `still_setpoint`."""
        if name in ("gantry", "collimator"):
            return self[f"{name}_set_deg"]
        return self.lane("couch_set", ("lateral", "longitudinal", "vertical", "rotation", "pitch", "roll").index(name.split()[1]))

    def row_of(self, cycle: int) -> int:
        """Index of the row of a cycle, or of the nearest one after it that exists."""
        return min(int(np.searchsorted(self["cycle"], cycle)), len(self) - 1)

    def since(self, event: Any) -> Any:
        """(n,) rows since this was last so; large before the first time."""
        return forward(event)
