"""What the numbers of one snapshot mean: an ordered list of fields, sent once, so that a snapshot is nothing but numbers."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from .topics import INTERLOCKS, SCHEMA, SESSION

DIGITS = 4  # of numbers in messages: finer than any reading (1 um, 0.001 deg, 0.01 MU)


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a subsystem, or one per axis; either a number with a unit or an index into `values`."""

    subsystem: str
    channel: str  # "telemetry" or "state"
    name: str
    unit: str = ""  # "axis": that of each axis; "switch": true or false; "count": whole numbers
    size: int = 0  # 0 = one number, n = a list of n
    values: tuple[str, ...] = ()
    what: str = ""

    @property
    def numbers(self) -> int:
        """Numbers that it takes in a snapshot."""
        return max(self.size, 1)

    def json(self, numbers: Sequence[float]) -> Any:
        """The value as it stands in a message; null where there is no reading."""
        if self.size:
            return [self._one(number) for number in numbers]
        return self._one(numbers[0])

    def _one(self, number: float) -> Any:
        if not math.isfinite(number):
            return None
        if self.values:
            return self.values[int(number)] if 0 <= int(number) < len(self.values) else None
        if self.unit == "switch":
            return number == 1.0
        return int(number) if self.unit == "count" else round(number, DIGITS)


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything about a machine that does not change while it runs."""

    machine: str
    session: str  # one per run: what carries another one is history
    session_name: str
    code_version: str
    period_s: float  # of wall time between snapshots
    axes: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)  # subsystem -> (name, unit) of its axes
    fields: tuple[Field, ...] = ()

    @property
    def numbers(self) -> int:
        """In one snapshot."""
        return sum(one.numbers for one in self.fields)

    def messages(self, numbers: Sequence[float]) -> dict[tuple[str, str], dict[str, Any]]:
        """(subsystem, channel) -> payload, from one snapshot."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        at = 0
        for one in self.fields:
            end = at + one.numbers
            found.setdefault((one.subsystem, one.channel), {})[one.name] = one.json(numbers[at:end])
            at = end
        return found

    def meta(self) -> dict[str, Any]:
        """The payload of `$meta`: all that a stranger needs to read the rest."""
        parts: dict[str, Any] = {}
        for one in self.fields:
            about: dict[str, Any] = {"unit": one.unit} if not one.values else {"values": list(one.values)}
            about |= ({"list": one.size} if one.size else {}) | ({"what": one.what} if one.what else {})
            parts.setdefault(one.subsystem, {}).setdefault(one.channel, {})[one.name] = about
        for name, axes in self.axes.items():
            parts.setdefault(name, {})["axes"] = [{"name": axis, "unit": unit} for axis, unit in axes]
        parts |= WORDS
        return {"schema": SCHEMA, "version": self.code_version, "machine": self.machine, "session": self.session,
                "session_name": self.session_name, "period_s": self.period_s, "simulator": True,
                "stamps": STAMPS, "subsystems": parts}

    def plain(self) -> dict[str, Any]:
        """For the pipe."""
        return asdict(self)

    @classmethod
    def from_plain(cls, data: dict[str, Any]) -> "Layout":
        """What `plain` gave, after a way through JSON."""
        axes = {name: tuple((axis, unit) for axis, unit in rows) for name, rows in data["axes"].items()}
        fields = tuple(Field(**one | {"values": tuple(one["values"])}) for one in data["fields"])
        return cls(**data | {"axes": axes, "fields": fields})


STAMPS = {
    "session": "one per run; in every message",
    "t": "ns of machine time; in all but `$status` and `$meta`",
    "w": "ns, wall clock of the control process (Unix), when it looked; as `t`",
    "m": "ns, its monotonic clock, for the age of the numbers; in telemetry and in states that were read with them",
    "seq": "number of the snapshot, the event or the interlock message; a gap is a loss",
}
WORDS = {  # states that are no numbers
    SESSION: {"state": {
        "name": {"what": "of the session file"}, "step": {"what": "of the workflow, begun last"}, "phase": {"what": "of the cycle"},
        "speed": {"what": "factor of real time; null = as fast as it goes"}, "ended": {"what": "why it ended early, else empty"}}},
    INTERLOCKS: {"state": {"active": {
        "what": "rows in force: id, name, stop, first_out, signal, value, fine (the healthy side), latched, reset_role, "
                "tripped_t (ns), text"}}},
}
