"""What a check works with: the device, what it said of itself, and the finding to write into."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from device_models.interface.wire.blocks import pack_24, unpack_24

from .client import Client, NoAnswerError, Reply
from .description import Description
from .verdict import Finding, Measure, Statement

SHOWN = 3  # of many wrong ones
CALM_WD_MS = 10_000  # the watchdog while something else is looked at
BOOT, IDLE, HOLD, MOVE, STOP, COMM, FAULT = range(7)
COUNTERS, READINGS_WITHIN_MS = 6, 1000.0
LATCHED = (BOOT, STOP, COMM, FAULT)
POWERED, CALIBRATED, ARMED, LOCKSTEP, SELF_MOVING = 1, 2, 4, 8, 16


class SkipError(Exception):
    """This check has nothing to look at here; says why."""


@dataclass(frozen=True, slots=True)
class Options:
    """What may be done to the device. `port`, `baud`: of the line it is on. `seconds`: how long what needs time may take."""

    motion: bool = False
    port: str = ""
    baud: int = 0
    seconds: float = 3.0


@dataclass(slots=True)
class Bench:
    """One device under test."""

    client: Client
    told: Description
    options: Options
    first_state: int = -1  # when we came
    watchdog_ms: int = 250  # when we came
    finding: Finding = field(default_factory=lambda: Finding("", "", ""))

    # --- statements

    def expect(self, true: bool, text: str, seen: str = "") -> bool:
        """The page demands `text`; `seen` is what the device did."""
        self.finding.statements.append(Statement(text, bool(true), seen))
        return bool(true)

    def every(self, text: str, wrong: Sequence[str], right: str = "") -> bool:
        """True if nothing is wrong; the first few of what is."""
        more = f" and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        return self.expect(not wrong, text, "; ".join(wrong[:SHOWN]) + more if wrong else right)

    def refused(self, reply: Reply, code: int, text: str) -> bool:
        """`ER` with this code."""
        return self.expect(reply.code == code, text, reply.text)

    def measure(self, name: str, value: float, unit: str) -> None:
        """A number for the report."""
        self.finding.measures.append(Measure(name, value, unit))

    # --- the device

    def ask(self, body: str) -> Reply:
        """One request, once."""
        return self.client.ask(body)

    def state(self) -> int:
        """Now; -1 if it does not say."""
        return state_of(self.client.ask("ST", repeats=2))

    def counters(self) -> list[int]:
        """good invalid repeated old stops expiries; -1 where there is no number."""
        words = [*self.client.ask("CN").args, *("" for _ in range(COUNTERS))][:COUNTERS]
        return [int(word) if word.isdigit() else -1 for word in words]

    def reset(self) -> int:
        """Out of a latched state with the right session; -> state."""
        return state_of(self.client.ask(f"RS {self.told.session}", repeats=2))

    def calm(self) -> None:
        """Watchdog long, no telemetry, not latched, no power. What is refused here is some check's to find."""
        self.client.stream.read(0.0)
        self.client.ask("HI", repeats=2)
        for body in (f"WD {CALM_WD_MS}", "TM 0", f"RS {self.told.session}", "EN 0"):
            self.client.ask(body, repeats=2)
        self.client.forget()

    def wait_state(self, wanted: int, within_ms: float, every_ms: float = 20.0) -> int:
        """Ask until it is in this state or the time is over; -> state."""
        end_us = self.client.now_us() + int(within_ms * 1000)
        while (state := self.state()) != wanted and self.client.now_us() < end_us:
            self.client.listen(every_ms)
        return state

    def keep_saying(self, ms: float, say: Callable[[], object], every_ms: float) -> None:
        """Say something again and again for so long."""
        end_us = self.client.now_us() + int(ms * 1000)
        while self.client.now_us() < end_us:
            say()
            self.client.listen(every_ms)

    def answered(self, body: str) -> Reply | None:
        """None for silence."""
        try:
            return self.client.ask(body)
        except NoAnswerError:
            return None

    # --- readings and targets

    @property
    def blocks(self) -> bool:
        """Values come as blocks."""
        return "bk" in self.told.caps

    def readings(self, reply: Reply) -> list[float]:
        """First reading of every axis, or all values; not a number where there is none."""
        if self.blocks:
            found = unpack_24(reply.keys().get("B", ""), max(self.told.axes_said, 0))
            return [] if found is None else [float(value) for value in found]
        count = max(self.told.axes_said, 0) or self.told.readings
        return [float(word) if word.lstrip("-").isdigit() else math.nan for word in reply.args[2:][:count]]

    def targets(self, values: Sequence[float]) -> str:
        """As `SV` and `MA` take them."""
        return f"B={pack_24(np.array(values, np.float64))}" if self.blocks else " ".join(f"{value:.0f}" for value in values)

    def here(self) -> list[float]:
        """Where all axes are, within their limits: a target that moves nothing. SkipError if one does not say where it is."""
        end_us = self.client.now_us() + int(READINGS_WITHIN_MS * 1000)
        while None in (found := self.places()) and self.client.now_us() < end_us:
            self.client.listen(20.0)
        if None in found:
            raise SkipError("an axis has no reading: where it would move from is unknown")
        return [place for place in found if place is not None]

    def places(self) -> list[float | None]:
        """Of all axes, now; None without a reading."""
        now = self.readings(self.ask("ST"))
        return [min(max(round(now[axis.number]), axis.low), axis.high)
                if axis.number < len(now) and math.isfinite(now[axis.number]) else None for axis in self.told.axes]

    def cyclic(self, power: int, values: Sequence[float] | None = None) -> Reply:
        """`SV`: these targets; without any those that move nothing. A device without axes gets zeros."""
        if not self.told.axes:
            return self.ask(" ".join(("SV", str(power), *("0" for _ in self.told.all("in")))))
        if values is None:
            values = self.here() if power else [float(axis.middle) for axis in self.told.axes]  # without power nothing moves
        return self.ask(f"SV {power} {self.targets(values)}")


def state_of(reply: Reply) -> int:
    """First number of a status or of `state flags`."""
    return int(reply.args[0]) if reply.ok and reply.args and reply.args[0].isdigit() else -1


def flags_of(reply: Reply) -> int:
    """Second number; -1 if there is none."""
    return int(reply.args[1]) if reply.ok and len(reply.args) > 1 and reply.args[1].isdigit() else -1


def powered(reply: Reply) -> bool:
    """Drive power is on, or the reply does not say."""
    return bool(flags_of(reply) & POWERED)
