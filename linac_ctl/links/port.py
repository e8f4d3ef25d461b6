"""One subsystem behind bytes: once per cycle `SV` goes out, and what has come goes into the image. Nothing a peer does raises here.

Lockstep: the answer to this cycle's request is waited for. Free running: the newest answer that has come by now counts, with the
age that the device's clock gives it. A device that says nothing leaves its old readings with their old stamp: interlocks see that.
"""

import time
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Any

from device_models.interface.image import DT_S, Image
from device_models.interface.stream.contract import Stream
from device_models.interface.wire.fields import Unit
from device_models.interface.wire.framing import EVENT, REPLY, REQUEST, Decoder, Line, integer, make
from device_models.interface.wire.values import hear_readings, hear_values, say_targets, say_values

from .clock import DeviceClock
from .identity import Identity
from .stats import LinkStats

CYCLE_MS = round(DT_S * 1000)
# for an answer in lockstep, by how many cycles none has come: one that stalled finds its way back, one that is dead costs no hour
PATIENCE_S = ((3, 2.0), (300, 0.01))
BOOT = "0"
LATCHED = (BOOT, "4", "5", "6")  # states that end with `RS` alone
MS_32 = 2**32


class LinkPort:
    """`identity`: as told at connect. `since_cycle`: the cycle in which a lockstep device's clock was zero."""

    def __init__(self, unit: Unit, stream: Stream, identity: Identity, decoder: Decoder, sequence: int, *, lockstep: bool,
                 now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self.unit, self.stream, self.identity, self.decoder = unit, stream, identity, decoder
        self.lockstep, self.now_ns = lockstep, now_ns
        self.stats, self.clock = LinkStats(), DeviceClock()
        self.sequence = sequence
        self.sent_ns = [0] * 256  # by sequence number; 0 = not waited for
        self.expected = -1  # sequence number of this cycle's `SV`
        self.newest: list[str] | None = None  # arguments of the newest status
        self.silent_cycles, self.state = 0, "0"
        self.latency_ms = 0.0  # mean of about ten answers; of no meaning in lockstep
        self.enabled = self.permitted = False
        self.up, self.why, self.identified = True, "", True
        self.nonce, self.attached = 0, False
        self._ms, self._heard_ms, self._invalid = -1, -1, 0

    # --- out

    def send(self, image: Image, cycle: int) -> None:
        """What the controller wants in this cycle."""
        node = image.nodes[self.unit.node]
        wanted = bool(node["enable"] == 1.0)
        if wanted and not self.enabled and cycle > 0 and (self.state in LATCHED or self._unfed(cycle)):
            self._say(f"RS {self.identity.session}")  # power is wanted again because somebody has reset what had stopped us
        self.enabled = wanted
        if self.unit.radiates:
            self._arm(image)
        wires = getattr(image, self.unit.name)
        said = say_targets(self.unit, wires) if self.unit.axes else say_values(self.unit.hears, wires)
        self.expected = self._say(f"SV {int(wanted)} {said}".rstrip())

    def _unfed(self, cycle: int) -> bool:
        """Getting ready for the first cycle may take us longer than a watchdog waits; `RS` changes nothing where it did not."""
        return cycle == 1 and not self.lockstep

    def _arm(self, image: Image) -> None:
        """Two steps before a permit that was not there in the last cycle."""
        permit = bool(image.beam["permit"][0] == 1.0)
        if permit and not self.permitted:
            self.nonce = (self.nonce + 1) % 65536
            self._say(f"AR {self.nonce:04X}")
            self._say(f"FI {self.nonce:04X}")
        self.permitted = permit

    def _say(self, body: str) -> int:
        self.sequence = (self.sequence + 1) % 256
        if self.stream.write(make(REQUEST, self.sequence, body)):
            self.stats.sent += 1
            self.sent_ns[self.sequence] = self.now_ns()
        else:
            self.stats.unsent += 1
        return self.sequence

    def leave(self) -> None:
        """The run is over: no power, and its time is its own again. Nobody waits for the answers."""
        self.stream.detach()
        if self.stream.up:
            self._say("HT")
            self._say("EN 0")
            if self.lockstep:
                self._say("LS 0")

    # --- in

    def attach(self, loop: AbstractEventLoop) -> None:
        """Heard when they come from now on."""
        self.attached = True
        self.stream.attach(loop, self.take, lambda why: None)

    def receive(self, image: Image, cycle: int) -> None:
        """What has come by now."""
        if self.lockstep or cycle == 0:  # a machine has to be there before anything is asked of it
            self._wait_for_answer()
        elif not self.attached:
            self.take(self.stream.read())
        self._look_at_line()
        fresh = self._into(image, cycle)
        self.silent_cycles = 0 if fresh else self.silent_cycles + 1
        self.stats.missed_cycles += 0 if fresh else 1
        self.stats.longest_silence_cycles = max(self.stats.longest_silence_cycles, self.silent_cycles)

    def _wait_for_answer(self) -> None:
        patience_s = next((seconds for cycles, seconds in PATIENCE_S if self.silent_cycles < cycles), 0.0)
        until_ns = self.now_ns() + round(patience_s * 1e9)
        if not patience_s:
            self.take(self.stream.read())
        while self.sent_ns[self.expected] and self.stream.up and (left_ns := until_ns - self.now_ns()) > 0:
            data = self.stream.read(left_ns / 1e9)
            if not data and self.stream.fileno() < 0:
                return  # in memory: the far end has said all that it will
            self.take(data)

    def take(self, data: bytes) -> None:
        """Bytes as they come."""
        if not data:
            return
        now_ns = self.now_ns()
        for line in self.decoder.feed(data):
            if line.start == REPLY:
                self._reply(line, now_ns)
            elif line.start == EVENT:
                self._event(line)

    def _reply(self, line: Line, now_ns: int) -> None:
        sent_ns, self.sent_ns[line.sequence] = self.sent_ns[line.sequence], 0
        if sent_ns == 0:  # nobody waits for it: told twice, or from the past
            self.stats.repeated += 1
            return
        self.stats.answered += 1
        self.stats.add_latency((now_ns - sent_ns) // 1000)
        self.latency_ms += 0.1 * ((now_ns - sent_ns) / 1e6 - self.latency_ms) if not self.lockstep else 0.0
        ms = integer(line.args[0], 0, MS_32 - 1) if line.args else None
        if line.verb != "OK" or ms is None:
            self.stats.refused += 1
            self.stats.last_refusal = " ".join(line.args[1:])
            return
        if len(line.args) > 3:
            self._status(list(line.args), ms, sent_ns, now_ns)

    def _status(self, args: list[str], ms: int, sent_ns: int, now_ns: int) -> None:
        if args[1] == BOOT and self._ms >= 0:
            self._restarted()
            return
        if self._ms >= 0 and (ms - self._ms) % MS_32 > MS_32 // 2:  # its clock ran backwards: said before, and said again
            self.stats.old += 1
            return
        self._ms = ms
        self.clock.add(ms, sent_ns, now_ns)
        self.newest = args

    def _event(self, line: Line) -> None:
        self.stats.events += 1
        if line.args[1:2] == ("BOOT",) and self._ms >= 0:
            self._restarted()

    def _restarted(self) -> None:
        """Another power-up: whatever it says now is not what we have met."""
        self.stats.restarts += 1
        self.identified, self.up, self.why = False, False, f"{self.unit.name}: it has powered up again; connect anew"
        self.newest = None

    def _look_at_line(self) -> None:
        counts = self.decoder.counts
        self.stats.invalid = counts.invalid
        if self.up and not self.stream.up:
            self.up, self.why = False, self.stream.why

    def _into(self, image: Image, cycle: int) -> bool:
        """The newest status into the image; True if there was a new one."""
        args, self.newest = self.newest, None
        if args is None or not self.up:
            return False
        state, flags = integer(args[1], 0, 6), integer(args[2], 0)
        if state is None or flags is None or not self._hear(args[3:], getattr(image, self.unit.name)):
            self.stats.refused += 1
            self.stats.last_refusal = "a status that is none"
            return False
        self.state = args[1]
        self._node(image.nodes[self.unit.node : self.unit.node + 1], flags, cycle)
        if self.unit.radiates and self.lockstep:  # who answers in step has heard what it answers
            image.beam["heard_cycle"] = image.nodes["sampled_cycle"][self.unit.node]
        return True

    def _hear(self, args: list[str], wires: Any) -> bool:
        return hear_readings(self.unit, args, wires) if self.unit.axes else hear_values(self.unit.says, args, wires)

    def _node(self, node: Any, flags: int, cycle: int) -> None:
        node["powered"] = float(flags & 1)
        node["calibrated"] = float(flags >> 1 & 1)
        age = 0 if self.lockstep else self.clock.age_cycles(self._ms, self.now_ns(), CYCLE_MS)
        node["sampled_cycle"] = self._ms // CYCLE_MS if self.lockstep else cycle - age
        node["named"] = self.unit.node if self.identified else -1
        node["apart_cycles"] = self._apart_cycles()

    def _apart_cycles(self) -> float:
        """From the readings before to these by the device's own clock: ours skips what it is late for."""
        before, self._heard_ms = self._heard_ms, self._ms
        return 1.0 if self.lockstep or before < 0 else (self._ms - before) % MS_32 / CYCLE_MS
