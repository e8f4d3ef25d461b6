"""What a watcher knows of the machines that it hears: newest values, their age, and whether they are news or history.

Messages come from a broker that anybody may write to, so nothing in them is trusted: what does not fit is counted and left out.
"""

import json
import math
from collections import deque
from collections.abc import Iterator
from typing import Any

from .topics import EVENT, INTERLOCK, INTERLOCKS, META, SESSION, STATE, STATS, STATUS, TELEMETRY, machine_and_rest

LONGEST = 1 << 18  # bytes of one payload
LONGEST_NUMBER = 20  # digits: the wall clock in ns has 19
MOST_MACHINES, MOST_SUBSYSTEMS, KEPT_EVENTS = 32, 64, 50
STALE_PERIODS = 2.0
USUAL_PERIOD_S = 0.1
DRIFT = 2e-4  # two computers' clocks may part by this much, s per s


class Clock:
    """Age of what another computer stamped, by its monotonic clock and ours: the quickest way so far counts as no time at all."""

    def __init__(self) -> None:
        self.offset_s: float | None = None
        self.heard_s = self.stamped_s = 0.0

    def hear(self, stamped_s: float, now_s: float) -> None:
        """A message stamped then has come now."""
        offset_s = now_s - stamped_s
        if self.offset_s is not None:
            offset_s = min(offset_s, self.offset_s + DRIFT * (now_s - self.heard_s))
        self.offset_s, self.heard_s, self.stamped_s = offset_s, now_s, stamped_s

    def age_s(self, now_s: float) -> float | None:
        """Of the last one heard; None before the first."""
        return None if self.offset_s is None else max(now_s - self.stamped_s - self.offset_s, 0.0)


class MachineView:
    """One machine under `linac/v1/`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.status: dict[str, Any] = {}
        self.meta: dict[str, Any] = {}
        self.stats: dict[str, Any] = {}
        self.state: dict[str, dict[str, Any]] = {}
        self.telemetry: dict[str, dict[str, Any]] = {}
        self.clocks: dict[str, Clock] = {}
        self.events: deque[dict[str, Any]] = deque(maxlen=KEPT_EVENTS)
        self.trips: deque[dict[str, Any]] = deque(maxlen=KEPT_EVENTS)

    def take(self, rest: str, data: dict[str, Any], now_s: float) -> bool:
        """`rest` is the topic after the machine's name. False for what has no place here."""
        subsystem, _, channel = rest.rpartition("/")
        if rest == STATUS:
            self._take_status(data)
        elif rest in (META, STATS):
            setattr(self, {META: "meta", STATS: "stats"}[rest], data)
        elif rest in (EVENT, INTERLOCK):
            (self.events if rest == EVENT else self.trips).append(data)
        elif channel in (STATE, TELEMETRY) and subsystem and (subsystem in self.state or len(self.state) < MOST_SUBSYSTEMS):
            self._take_values(subsystem, channel, data, now_s)
        else:
            return False
        return True

    def _take_status(self, data: dict[str, Any]) -> None:
        if data.get("session") != self.session:  # another run: what it has not said itself is history
            self.clocks, self.telemetry = {}, {}
            self.events.clear()
            self.trips.clear()
        self.status = data

    def _take_values(self, subsystem: str, channel: str, data: dict[str, Any], now_s: float) -> None:
        if channel == STATE:
            self.state[subsystem] = data
            return
        self.state.setdefault(subsystem, {})
        self.telemetry[subsystem] = data
        if isinstance(stamp := data.get("m"), int):
            self.clocks.setdefault(subsystem, Clock()).hear(stamp * 1e-9, now_s)

    @property
    def session(self) -> str:
        """Of the run that the status speaks of."""
        return str(self.status.get("session", ""))

    @property
    def online(self) -> bool:
        """Without this, everything that the broker keeps is history."""
        return self.status.get("status") == "online"

    @property
    def period_s(self) -> float:
        """Between two snapshots."""
        period_s = self.status.get("period_s")
        return float(period_s) if isinstance(period_s, int | float) and 0.0 < period_s < 3600.0 else USUAL_PERIOD_S

    def age_s(self, subsystem: str, now_s: float) -> float | None:
        """Of its newest numbers; None if there are none of this run."""
        return self.clocks[subsystem].age_s(now_s) if subsystem in self.clocks else None

    def stale(self, subsystem: str, now_s: float) -> bool:
        """Older than two periods, or not there at all."""
        age_s = self.age_s(subsystem, now_s)
        return age_s is None or not age_s <= STALE_PERIODS * self.period_s

    def oldest_s(self, now_s: float) -> float | None:
        """Age of the oldest newest numbers."""
        ages = [clock.age_s(now_s) or 0.0 for clock in self.clocks.values()]
        return max(ages) if ages else None

    def current(self, subsystem: str) -> dict[str, Any]:
        """Its state, if this run has told it; else empty."""
        state = self.state.get(subsystem, {})
        return state if state.get("session") == self.session else {}

    @property
    def active(self) -> list[dict[str, Any]]:
        """Interlocks in force, first-out first."""
        rows = self.current(INTERLOCKS).get("active")
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    @property
    def doing(self) -> dict[str, Any]:
        """What the sequencer does."""
        return self.current(SESSION)

    def axes(self, subsystem: str) -> list[dict[str, Any]]:
        """Name and unit of each axis, as its meta data say."""
        about = self.meta.get("subsystems")
        part = about.get(subsystem) if isinstance(about, dict) else None
        rows = part.get("axes") if isinstance(part, dict) else None
        return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []

    def snapshot(self, now_s: float) -> dict[str, Any]:
        """For scripts."""
        subsystems = {name: {"state": self.current(name), "telemetry": self.telemetry.get(name, {}),
                             "age_s": rounded(self.age_s(name, now_s)),
                             **({"axes": axes} if (axes := self.axes(name)) else {})}
                      for name in self.state if name not in (SESSION, INTERLOCKS)}
        numbers = [name for name in subsystems if name in self.telemetry]
        stale = not self.online or not numbers or any(self.stale(name, now_s) for name in numbers)
        return {"online": self.online, "stale": stale, "age_s": rounded(self.oldest_s(now_s)), "status": self.status,
                "session": self.doing, "interlocks": self.active, "subsystems": subsystems, "stats": self.stats}


class View:
    """All machines of one broker."""

    def __init__(self) -> None:
        self.machines: dict[str, MachineView] = {}
        self.ignored = 0

    def take(self, topic: str, payload: bytes, now_s: float) -> None:
        """One message, whatever it is."""
        place, data = machine_and_rest(topic), decoded(payload)
        if place is None or data is None or (place[0] not in self.machines and len(self.machines) >= MOST_MACHINES):
            self.ignored += 1
            return
        machine = self.machines.setdefault(place[0], MachineView(place[0]))
        self.ignored += not machine.take(place[1], data, now_s)

    def complete(self) -> bool:
        """Every machine that is online has told its numbers: enough for one look."""
        return bool(self.machines) and all(self._told(machine) for machine in self.machines.values())

    def _told(self, machine: MachineView) -> bool:
        about = machine.meta.get("subsystems")
        parts = about.items() if isinstance(about, dict) else ()
        wanted = [name for name, part in parts if isinstance(part, dict) and TELEMETRY in part]
        return bool(machine.status) and (not machine.online or (bool(wanted) and all(name in machine.telemetry for name in wanted)))

    def snapshot(self, now_s: float) -> dict[str, Any]:
        """For scripts."""
        return {"machines": {name: machine.snapshot(now_s) for name, machine in sorted(self.machines.items())}}


def decoded(payload: bytes) -> dict[str, Any] | None:
    """A JSON object, or None."""
    if len(payload) > LONGEST:
        return None
    try:
        data = json.loads(payload, parse_int=whole, parse_float=finite, parse_constant=lambda text: None)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def whole(text: str) -> int | None:
    """None for what no clock or counter of ours can be."""
    return int(text) if len(text) <= LONGEST_NUMBER else None


def finite(text: str) -> float | None:
    """None for what is no number in the end, such as 1e999."""
    return value if math.isfinite(value := float(text)) else None


def rounded(value: float | None) -> float | None:
    """To the millisecond."""
    return None if value is None else round(value, 3)


def numbers(values: Any) -> Iterator[float | None]:
    """Of a list that may hold anything."""
    for value in values if isinstance(values, list) else []:
        yield float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
