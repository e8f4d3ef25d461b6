"""Waits for a moment of the clock and for real descriptors at the same time.

With an alarm one select() does both: bytes are heard at once, and the moment is met to some tens of microseconds. Without
one (no timerfd, or a clock that belongs to a test) it sleeps, in short naps as soon as descriptors are to be watched.
"""

import selectors
import time
from typing import Protocol

from .alarm import NS, Alarm, new_alarm

NAP_NS = 200_000
AWAKE_NS = 1_500_000  # before the moment: from here on naps, as some systems round the time-out of select() up to 1 ms

Ready = list[tuple[selectors.SelectorKey, int]]


class Clock(Protocol):
    """The module `time` is one."""

    def monotonic_ns(self) -> int:
        """Now, ns."""

    def sleep(self, seconds: float, /) -> None:
        """Let time pass."""


class Waiter(selectors.SelectSelector):
    """A selector that can also wait for a moment. Its own alarm is the only thing registered without data."""

    def __init__(self, clock: Clock | None = None) -> None:
        """Without `clock` it is the computer's, and the alarm is made when it is wanted first."""
        super().__init__()
        self.clock: Clock = clock or time
        self.alarm: Alarm | None = None
        self._wants_alarm = clock is None
        self.watches = False  # descriptors of somebody else's

    @property
    def kind(self) -> str:
        """What wakes us."""
        return "timerfd" if self.alarm is not None else "sleep"

    def look(self, timeout_s: float | None = 0.0) -> Ready:
        """Descriptors that are ready, the alarm apart; None waits for one of them, or for the alarm."""
        return [found for found in super().select(timeout_s) if found[0].data is not None]

    def until(self, due_ns: int) -> Ready:
        """Wait until `due_ns`; -> descriptors that were ready before that, as soon as they are."""
        if self._wants_alarm:
            self._make_alarm()
        if self.alarm is None:
            return self._asleep_until(due_ns)
        self.alarm.set(due_ns)
        while self.clock.monotonic_ns() < due_ns:
            if ready := self.look(None):
                return ready
        return []

    def _make_alarm(self) -> None:
        self._wants_alarm, self.alarm = False, new_alarm()
        if self.alarm is not None:
            self.register(self.alarm.fileno(), selectors.EVENT_READ)

    def _asleep_until(self, due_ns: int) -> Ready:
        while (left_ns := due_ns - self.clock.monotonic_ns()) > 0:
            if not self.watches:
                self.clock.sleep(left_ns / NS)
            elif ready := self.look(max(left_ns - AWAKE_NS, 0) / NS):
                return ready
            else:
                self.clock.sleep(min(max(due_ns - self.clock.monotonic_ns(), 0), NAP_NS) / NS)
        return []

    def close(self) -> None:
        """With its alarm."""
        super().close()
        if self.alarm is not None:
            self.alarm.close()
