"""Frames from the pipe become messages with topics. No I/O, so that every payload can be tested as it will be sent."""

import json
from collections.abc import Iterator
from typing import Any

from .frames import EVENT, INTERLOCK, STATE, Stamp, read_numbers, read_words
from .layout import Layout
from .outbox import Message
from .topics import EVENT as EVENT_TOPIC
from .topics import INTERLOCK as INTERLOCK_TOPIC
from .topics import META, STATS, STATUS, TELEMETRY, quality, topic
from .topics import STATE as STATE_TOPIC

ONLINE, OFFLINE = "online", "offline"
CONNECTION_LOST, PROCESS_GONE = "connection lost", "the control process is gone"


def payload(data: dict[str, Any]) -> bytes:
    """Compact JSON; not-a-number never gets this far."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


class Shaper:
    """Knows the layout, what states were told last, and the newest stamp."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.stamp = Stamp(0, 0, 0, 0, 0, 0, 0, 0)
        self._states: dict[str, dict[str, Any]] = {}
        self._interlocks = 0

    def message(self, data: dict[str, Any], *parts: str) -> Message:
        """With the quality of service that its topic has."""
        name = topic(self.layout.machine, *parts)
        qos, retained = quality(name)
        return Message(name, payload(data), qos, retained)

    def meta(self) -> Message:
        """What a stranger needs."""
        return self.message(self.layout.meta(), META)

    def status(self, status: str, why: str = "", **more: Any) -> Message:
        """Birth, last will, end."""
        layout = self.layout
        about = {"machine": layout.machine, "session": layout.session, "session_name": layout.session_name,
                 "version": layout.code_version, "period_s": layout.period_s}
        return self.message({"status": status, "why": why, **about, **more}, STATUS)

    def stats(self, counts: dict[str, int]) -> Message:
        """What was published and what was not, so far."""
        stamp = self.stamp
        data = {"t": stamp.t_ns, "w": stamp.w_ns, "seq": stamp.seq, "session": self.layout.session, **counts,
                "lost_snapshots": stamp.lost_numbers, "lost_words": stamp.lost_words, "overruns": stamp.overruns,
                "skipped_cycles": stamp.skipped}
        return self.message(data, STATS)

    def shape(self, frame: bytes) -> Iterator[Message]:
        """Everything that one frame has to say."""
        kind = frame[:1]
        if kind == STATE:
            told = read_words(frame)
            yield self.message(told["data"], told["subsystem"], STATE_TOPIC)
        elif kind == EVENT:
            yield self.message(read_words(frame), EVENT_TOPIC)
        elif kind == INTERLOCK:
            self._interlocks += 1
            yield self.message(read_words(frame) | {"seq": self._interlocks}, INTERLOCK_TOPIC)
        else:
            yield from self._numbers(frame)

    def _numbers(self, frame: bytes) -> Iterator[Message]:
        """Telemetry of every subsystem; states of those where something changed."""
        stamp, numbers = read_numbers(frame)
        self.stamp = stamp
        head = {"t": stamp.t_ns, "w": stamp.w_ns, "m": stamp.m_ns, "seq": stamp.seq, "session": self.layout.session}
        for (subsystem, channel), data in self.layout.messages(numbers).items():
            if channel == TELEMETRY:
                yield self.message(head | data, subsystem, TELEMETRY)
            elif self._states.get(subsystem) != data:
                self._states[subsystem] = data
                yield self.message(head | data, subsystem, STATE_TOPIC)
