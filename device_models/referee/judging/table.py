"""A finished trace as columns, and what many properties need of it: fields, faults so far, speeds."""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import numpy as np

from ..columns import LATCH_WORDS, Flag
from .facts import Facts
from .runs import changes, forward, run_length

DT_S, CYCLE_MS = 0.01, 10.0
FAR = 1e6  # mm or deg per s: no speed, a jump of an encoder
LINEAR, ANGULAR = "mm", "deg"
DEVICES = ("gantry", "collimator", "jaws", "mlc", "carriages", "couch", "kv_arms", "mv_arm")
PLACES = {"jaws": "jaw_mm", "carriages": "carriage_mm", "kv_arms": "kv_arm_mm", "mv_arm": "mv_arm_mm"}  # numbered axes
COUCH = ("lateral", "longitudinal", "vertical", "rotation", "pitch", "roll")


class Table:
    """Rows of one run; every column is made once, when it is asked for first."""

    def __init__(self, rows: Any, leaves: Any, facts: Facts) -> None:
        self._rows, self.leaves, self.facts = rows, leaves, facts
        self._columns: dict[str, Any] = {}
        self._found: dict[Any, Any] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, name: str) -> Any:
        """One column, contiguous."""
        if name not in self._columns:
            self._columns[name] = np.ascontiguousarray(self._rows[name])
        return self._columns[name]

    def lane(self, name: str, i: int) -> Any:
        """One of several figures of a column, contiguous."""
        return self.once(name, lambda: np.ascontiguousarray(self._rows[name].T))[i]

    def once(self, what: Any, made: Callable[[], Any]) -> Any:
        """What `made` returns, worked out when `what` is asked for first. Nobody writes to it."""
        if what not in self._found:
            self._found[what] = made()
        return self._found[what]

    def has(self, flag: Flag) -> Any:
        """(n,) bool: all of these bits are set."""
        return self.once(flag, lambda: (self["bits"] & int(flag)) == int(flag))

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
        return np.searchsorted(self._effective, self["cycle"], side="right")

    @cached_property
    def _effective(self) -> Any:
        return self.facts.effective()

    @cached_property
    def unharmed(self) -> Any:
        """(n,) bool: no fault is effective yet."""
        return self.faults == 0

    def begun(self, mode: str, cycles: int) -> Any:
        """(n,) bool: the first so many cycles of a fault of this mode, which is what the fault itself does."""
        found = np.zeros(len(self), bool)
        for one in self.facts.injected:
            if one.mode == mode and one.effective_cycle is not None:
                found |= (self["cycle"] >= one.effective_cycle) & (self["cycle"] < one.effective_cycle + cycles)
        return found

    def holds(self, most: int) -> Any:
        """(n,) bool: no more than so many faults are effective."""
        return self.once(("holds", most), lambda: self.faults <= most)

    def counting(self, most: int, looked: Any = None) -> Any:
        """Indices of the rows that are looked at, None = all, while no more than so many faults are effective."""
        always = len(self._effective) <= most
        if looked is None:
            return np.arange(len(self)) if always else self.holds(most).nonzero()[0]
        return (looked if always else looked & self.holds(most)).nonzero()[0]

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
    def of_plan(self) -> Any:
        """(n,) bool: the field in hand is one of the plan's."""
        return isin(self.number, [beam.number for beam in self.facts.beams])

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
        for number in self.values(self.number):
            mine = self.number == number
            known = self.facts.beam(number)
            total = np.cumsum(np.where(mine, self.dose, 0.0))
            if known is None:  # images: every arming is a field of its own
                given[mine] = (total - total[np.maximum(self.armed_at, 0)])[mine]
            else:
                given[mine] = known.start_mu + total[mine]
        return given

    @staticmethod
    def values(column: Any) -> list[int]:
        """Sorted; of a column of whole numbers that seldom changes."""
        return sorted({*column[:1].tolist(), *column[changes(column)].tolist()})

    # --- interlocks

    def latched(self, i: int) -> Any:
        """(n,) bool: interlock row `i` was in force at the end of each cycle."""
        return self.lane("tripped", i >> 6) >> (i & 63) & 1 != 0

    @cached_property
    def ever_latched(self) -> list[int]:
        """Numbers of the interlock rows that were in force at any time."""
        words = [np.bitwise_or.reduce(self.lane("tripped", word)) for word in range(LATCH_WORDS)]
        bits = np.unpackbits(np.array(words, np.int64).view(np.uint8), bitorder="little")
        return [i for i in np.flatnonzero(bits).tolist() if i < len(self.facts.rows)]

    def any_row(self, wanted: list[bool]) -> Any:
        """(n,) bool: one of these rows is in force."""
        mask = np.zeros(LATCH_WORDS * 64, bool)
        mask[: len(wanted)] = wanted
        found = np.zeros(len(self), bool)
        for i, word in enumerate(np.packbits(mask, bitorder="little").view(np.int64)):
            found |= (self.lane("tripped", i) & word) != 0
        return found

    @cached_property
    def tripped(self) -> Any:
        """(n,) bool: a row that forbids beam by its declaration is in force."""
        return self.any_row([row.inhibits for row in self.facts.rows])

    @cached_property
    def inhibited(self) -> Any:
        """(n,) bool: a row that forbids beam by its declaration is in force, or the controller says that one is."""
        return self.tripped | self.has(Flag.INHIBIT)

    # --- axes

    @cached_property
    def power(self) -> dict[str, Any]:
        """Device -> (n,) bool: drive power is asked for, and neither mains, emergency stop nor safety channel keeps it back."""
        supply = self.has(Flag.MAINS | Flag.ESTOP | Flag.DRIVES)
        return {name: supply & (self["enable"] & 1 << bit != 0) for bit, name in enumerate(DEVICES)}

    @cached_property
    def axes(self) -> dict[str, tuple[str, str, Any]]:
        """Axis -> (device, unit, (n,) place). Axes that are not fitted are left out."""
        found: dict[str, tuple[str, str, Any]] = {
            "gantry": ("gantry", ANGULAR, self["gantry_deg"]), "collimator": ("collimator", ANGULAR, self["collimator_deg"]),
        }
        for device, column in PLACES.items():
            found |= {f"{device} {i + 1}": (device, LINEAR, self.lane(column, i)) for i in range(self._rows[column].shape[1])}
        found |= {f"couch {name}": ("couch", LINEAR if i < 3 else ANGULAR, self.lane("couch", i)) for i, name in enumerate(COUCH)}
        return {name: axis for name, axis in found.items() if len(self) and np.isfinite(axis[2][-1])}

    @cached_property
    def watched(self) -> dict[str, tuple[str, str, Any]]:
        """As `axes`, of this simulation alone: a line says where a device outside is, not how it got there in ten milliseconds."""
        return {name: axis for name, axis in self.axes.items() if axis[0] not in self.facts.outside}

    @cached_property
    def speeds(self) -> Any:
        """(axes, n) unit per s whichever way, from one cycle to the next; 0 where it is not known."""
        steps = np.zeros((len(self.axes), len(self)), np.float32)
        for i, (_, _, place) in enumerate(self.axes.values()):
            np.subtract(place[1:], place[:-1], out=steps[i, 1:])
        steps *= np.float32(1.0 / DT_S)
        np.abs(steps, out=steps)
        steps[~(steps < FAR)] = 0.0
        return steps

    @cached_property
    def fastest(self) -> dict[str, Any]:
        """Axis -> its highest speed of all, unit per s."""
        return dict(zip(self.axes, self.speeds.max(axis=1, initial=0.0)))

    def speed(self, name: str) -> Any:
        """(n,) of one axis, whichever way."""
        return self.speeds[list(self.axes).index(name)]

    def setpoint(self, name: str) -> Any:
        """(n,) where an axis should be; None where that is not on record."""
        if name in ("gantry", "collimator"):
            return self[f"{name}_set_deg"]
        return self.lane("couch_set", COUCH.index(name.split()[1])) if name.startswith("couch") else None

    def still(self, name: str) -> Any:
        """(n,) cycles for which nobody has asked this axis to go anywhere else."""
        at = self.setpoint(name)
        return run_length(np.diff(at, prepend=at[:1]) == 0.0)

    def row_of(self, cycle: int) -> int:
        """Index of the row of a cycle, or of the nearest one after it that exists."""
        return min(int(np.searchsorted(self["cycle"], cycle)), len(self) - 1)

    def since(self, event: Any) -> Any:
        """(n,) rows since this was last so; large before the first time."""
        return forward(event)


def isin(column: Any, values: Iterable[int]) -> Any:
    """(n,) bool: one of a few whole numbers."""
    found = np.zeros(len(column), bool)
    for value in values:
        found |= column == value
    return found
