"""One virtual device behind bytes: hears requests, keeps the protocol's rules, and moves its wires in the image of the far end."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..interface.image import Image
from ..interface.wire.fields import AXIS_PER, Unit
from ..interface.wire.framing import DEVICE_HEARS, EVENT, REPLY, STOP_BYTE, TELEMETRY, Decoder, Line, make
from ..interface.wire.values import say_readings, say_values
from .arguments import Args
from .arming import Arming
from .errors import Code, Refused
from .profile import Profile
from .rack import CYCLE_MS, Rack
from .states import LATCHED, State

Verbs = Mapping[str, Callable[["Device", Args], str | None]]
NEVER_PLAIN = ("AR", "FI", "SV", "LS")
OLD = 128  # requests further ahead than this are from the past
MS_32 = 2**32


class Device:
    """`limits`: of every axis, whole um or mdeg, with the speed and acceleration of its own moves. `verbs`: what it answers to,
    each takes the device and the arguments and gives the body of the reply after `OK t`, or None: when the cycles asked for are
    over. `say`: where bytes go.
    """

    def __init__(self, unit: Unit, rack: Rack, limits: Sequence[tuple[int, int, int, int]], verbs: Verbs, *, serial: str,
                 session: Callable[[int], str], say: Callable[[bytes], object], silent: Callable[[], bool] = lambda: False,
                 baud: int = 0) -> None:
        self.unit, self.rack, self.limits, self.serial, self.new_session = unit, rack, limits, serial, session
        self.out, self.silent = say, silent
        self.baud, self.maxline = baud, unit.maxline
        self.boots = 0
        self.low = np.array([limit[0] for limit in limits]) / AXIS_PER
        self.high = np.array([limit[1] for limit in limits]) / AXIS_PER
        self.verbs = verbs
        self.power_up()
        rack.devices.append(self)

    def power_up(self) -> None:
        """Everything forgotten, another session, latched in BOOT."""
        self.session = self.new_session(self.boots)
        self.boots += 1
        self.decoder = Decoder(hears=DEVICE_HEARS, plain=True, maxline=self.maxline)
        self.counts = self.decoder.counts
        self.state, self.stopping = State.BOOT, False
        self.last: tuple[int, bytes, bytes] | None = None  # sequence, CRC and reply of the last request
        self.profile = Profile(*(np.array([limit[i] for limit in self.limits]) / AXIS_PER for i in (2, 3)))
        self.arming = Arming()
        self.watchdog_ms, self.fed_ms, self.watched = self.unit.watchdog_ms, 0, False
        self.telemetry_ms = self.telemetry_due_ms = 0
        self.telemetry_count = self.event_count = 0
        self.lockstep, self.waiting, self.owed = False, 0, 0
        self.rack.stand_still(False)
        self.enabled(False)
        self.event(f"BOOT session={self.session}")

    # --- the far end's image

    @property
    def image(self) -> Image:
        """Wires of the far end."""
        return self.rack.image

    @property
    def wires(self) -> Any:
        """Records of this unit."""
        return getattr(self.image, self.unit.name)

    @property
    def node(self) -> Any:
        """Its row of the nodes, (1,)."""
        return self.image.nodes[self.unit.node : self.unit.node + 1]

    def enabled(self, wanted: bool) -> None:
        """Drive power on its wire."""
        self.node["enable"] = 1.0 if wanted else 0.0

    # --- hearing

    def hear(self, data: bytes) -> None:
        """Everything that came over the line."""
        if STOP_BYTE in data:
            self.counts.stops += data.count(STOP_BYTE)
            data = data.replace(bytes([STOP_BYTE]), b"")
            self.latch(State.STOP, "STOP")
        for line in self.decoder.feed(data):
            self.take(line)

    def take(self, line: Line) -> None:
        """One valid line."""
        if line.plain:
            self.reply(0, self.answered(line))
            return
        self.feed_watchdog()
        if self.repeated(line):
            return
        body = self.answered(line)
        if body is None:  # in lockstep, when the cycle is done
            self.owed = line.sequence
            self.last = (line.sequence, line.raw[-4:], b"")
        else:
            self.last = (line.sequence, line.raw[-4:], self.reply(line.sequence, body))

    def feed_watchdog(self) -> None:
        """Somebody is there."""
        self.watched, self.fed_ms = True, self.rack.now_ms

    def repeated(self, line: Line) -> bool:
        """A repeat is answered from memory, what is old is dropped."""
        if self.last is None or line.verb == "HI":
            return False
        sequence, crc, reply = self.last
        ahead = (line.sequence - sequence) % 256
        if ahead == 0 and line.raw[-4:] == crc:
            self.counts.repeated += 1
            self.say(reply)
            return True
        if ahead == 0 or ahead > OLD:
            self.counts.old += 1
            return True
        return False

    def answered(self, line: Line) -> str | None:
        """Do it; -> body of the reply, or None while a cycle has to pass first."""
        try:
            if line.verb not in self.verbs or (line.plain and line.verb in NEVER_PLAIN):
                raise Refused(Code.VERB)
            said = self.verbs[line.verb](self, line.args if not (line.plain and line.verb == "RS") else (self.session,))
            return None if said is None else f"OK {self.now} {said}".rstrip()
        except Refused as refusal:
            return f"ER {self.now} {refusal}"

    @property
    def now(self) -> int:
        """The clock as it goes over the wire."""
        return self.rack.now_ms % MS_32

    def reply(self, sequence: int, body: str | None) -> bytes:
        """Say it, and give it back for memory."""
        line = make(REPLY, sequence, body or "")
        self.say(line)
        return line

    def say(self, line: bytes) -> None:
        """On the line, unless its electronics say nothing any more."""
        if not self.silent():
            self.out(line)

    def event(self, text: str) -> None:
        """Something happened that nobody asked for."""
        word, _, more = text.partition(" ")
        self.say(make(EVENT, self.event_count, f"EV {self.now} {word} {more}".rstrip()))
        self.event_count += 1

    def line_lost(self) -> None:
        """The client has gone. Nobody asks for cycles any more; the watchdog does what it does; the next one may be a person."""
        if self.lockstep:
            self.lockstep, self.waiting = False, 0
            self.rack.stand_still(False)
            self.feed_watchdog()
        if self.watched:
            self.watched = False
            self.latch(State.COMM, "WDOG")
        self.decoder.drop()
        self.decoder.plain, self.last = True, None

    # --- time

    def before_step(self) -> None:
        """Watchdog, own moves, drive power."""
        if self.lockstep and self.waiting:
            self.fed_ms = self.rack.now_ms  # time that was asked for is not time without news
        if self.watched and not self.decoder.plain and self.rack.now_ms - self.fed_ms > self.watchdog_ms:
            self.counts.expiries += 1
            self.watched = False
            self.latch(State.COMM, "WDOG")
        if self.unit.radiates:
            self.arming.lapse(self.rack.now_ms, bool(self.wires["permit"][0] == 1.0))
        if self.unit.axes and (self.profile.moving or self.stopping):
            self.go_on()

    def go_on(self) -> None:
        """One cycle of a move of its own, or of a stop."""
        arrived = self.profile.step()
        self.wires["setpoint"] = self.profile.setpoints()
        if self.profile.moving:
            return
        if self.stopping:
            self.stopping = False
            self.enabled(self.state not in LATCHED)
        self.state = State.HOLD if self.state is State.MOVE else self.state
        for axis in arrived if self.state is State.HOLD else ():
            self.event(f"DONE axis={axis}")

    def after_step(self) -> None:
        """What is owed after a cycle."""
        if self.lockstep and self.waiting:
            self.waiting -= 1
            if not self.waiting and self.last is not None:
                sequence, crc, _ = self.last
                self.last = (sequence, crc, self.reply(self.owed, f"OK {self.sampled_ms} {self.status()}"))
        if self.telemetry_ms and self.rack.now_ms >= self.telemetry_due_ms:
            self.telemetry_due_ms = self.rack.now_ms + self.telemetry_ms
            self.say(make(TELEMETRY, self.telemetry_count, f"ST {self.sampled_ms} {self.status()}"))
            self.telemetry_count += 1

    @property
    def sampled_ms(self) -> int:
        """When the readings were taken."""
        return max(int(self.node["sampled_cycle"][0]), 0) * CYCLE_MS % MS_32

    def latch(self, state: State, word: str) -> None:
        """Controlled stop, then no power, until `RS`."""
        self.arming.end()
        if self.unit.radiates:
            self.wires["permit"] = 0.0
        if self.unit.axes:
            self.profile.stop()
            self.stopping = self.profile.moving
        if not self.stopping:
            self.enabled(False)
        self.state = self.state if self.state in LATCHED else state  # the first reason stays
        self.event(word)

    # --- what it says

    def more_items(self) -> list[str]:
        """Of self-description, beyond what all have."""
        return []

    def status(self) -> str:
        """State, flags, readings."""
        readings = say_readings(self.unit, self.wires) if self.unit.axes else say_values(self.unit.says, self.wires)
        return f"{self.state_and_flags()} {readings}"

    def state_and_flags(self) -> str:
        """The two numbers."""
        node = self.node
        held = (node["powered"][0] == 1.0, node["calibrated"][0] == 1.0, self.arming.armed, self.lockstep,
                self.profile.moving and not self.stopping)
        return f"{self.state:d} {sum(1 << bit for bit, there in enumerate(held) if there)}"
