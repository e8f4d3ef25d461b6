"""A line on which things go wrong, on purpose and repeatably. Faults are set and cleared while it runs; each counts its acts."""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Literal

from . import chance
from .contract import Stream
from .fault import LinkFault, Way
from .fd import LIMIT_BYTES
from .timed import Clock, TimedWrapper
from .uart import as_read_at

STOP_BYTE = 0x18  # stands for itself, outside of all lines
LONGEST = 4096  # bytes without a line end: passed on as they are
MEMORY = 1000  # frames that a replay can reach back


def stopped_clock() -> float:
    """For lines without delays in seconds."""
    return 0.0


@dataclass(slots=True)
class Lane:
    """One way through the line."""

    count: int = 0  # frames so far
    held: list[tuple[int, float, bytes]] = field(default_factory=list)  # (after which frame, when, what)
    past: deque[bytes] = field(default_factory=lambda: deque(maxlen=MEMORY))


class DisturbedStream(TimedWrapper):
    """`at` says which end of the line this is; `name` and `seed` say which frames are hit."""

    def __init__(self, raw: Stream, seed: int, name: str, at: Literal["host", "device"] = "host",
                 now_s: Clock = stopped_clock, limit_bytes: int = LIMIT_BYTES) -> None:
        super().__init__(raw, now_s)
        self.seed, self.name, self.limit_bytes = seed, name, limit_bytes
        self.acted: Counter[LinkFault] = Counter()
        self._faults: list[LinkFault] = []
        self._out_way: Way = "to_device" if at == "host" else "to_host"
        self._lanes: dict[Way, Lane] = {"to_device": Lane(), "to_host": Lane()}
        self._partial = b""  # of a frame from the peer whose end has not come
        self._given = 0  # bytes of it that are with us already, because no fault was set when they came
        self._ready = bytearray()  # for us
        self._stuck = bytearray()  # from us, while the peer hangs
        self._refused = 0
        self._cut = ""  # why, once a fault has disconnected us

    @property
    def up(self) -> bool:
        """Of the stream within."""
        return self.raw.up

    @property
    def why(self) -> str:
        """The fault's words if it was the fault."""
        return self._cut or self.raw.why

    @property
    def dropped(self) -> int:
        """With those refused while the peer hung."""
        return self.raw.dropped + self._refused

    @property
    def faults(self) -> tuple[LinkFault, ...]:
        """In force."""
        return tuple(self._faults)

    def set(self, fault: LinkFault) -> None:
        """From the next frame on."""
        if fault.delay_s and self.now_s is stopped_clock:
            raise ValueError(f"link fault {fault.kind} of {self.name}: {fault.delay_s:g} s need a clock, and this line has none")
        self._faults.append(fault)

    def clear(self, fault: LinkFault) -> None:
        """No longer. What it holds back comes when it would have come; what a hang held back comes now."""
        self._faults.remove(fault)
        self._push()
        if self._loop is not None:
            self._loop.call_soon(self._work)

    def write(self, frame: bytes) -> bool:
        """Taken, whatever becomes of it; refused only where an undisturbed line would refuse it too."""
        if not self.up:
            return False
        if self._hanging():
            return self._stick(frame)
        self._push()
        fine = True
        for each in self._fates(frame, self._out_way):
            fine = self.raw.write(each) and fine
        self._arm()
        return fine and self.up

    def _stick(self, frame: bytes) -> bool:
        """The peer does not read: frames pile up, then none is taken."""
        self._lanes[self._out_way].count += 1
        self._count_hang()
        if len(self._stuck) + len(frame) > self.limit_bytes:
            self._refused += 1
            return False
        self._stuck += frame
        return True

    def _take(self, data: bytes) -> None:
        """Untouched it goes on as it comes, also what is no line; a frame begun before a fault was set stays whole."""
        way: Way = "to_host" if self._out_way == "to_device" else "to_device"
        untouched = not any(fault.toward == way for fault in self._faults)
        for frame in self._frames(self._partial + data):
            if self._cut or (self._hanging() and len(self._ready) > self.limit_bytes):
                break  # nobody reads: a receiver without flow control loses it
            self._ready += frame[self._given :] if self._given else b""
            self._ready += b"".join(self._fates(frame, way, passed=self._given > 0))
            self._given = 0
        if untouched:
            self._ready += self._partial[self._given :]
            self._given = len(self._partial)

    def _frames(self, data: bytes) -> list[bytes]:
        """Whole lines, and stop bytes; the rest waits for its end."""
        frames, begin = [], 0
        for at, byte in enumerate(data):
            if byte in (0x0A, STOP_BYTE):
                frames.append(data[begin : at + 1])
                begin = at + 1
        self._partial = data[begin:]
        if len(self._partial) > LONGEST:
            frames.append(self._partial)
            self._partial = b""
        return frames

    def _push(self) -> None:
        if self._stuck and not self._hanging():
            stuck, self._stuck = bytes(self._stuck), bytearray()
            self.raw.write(stuck)
        for frame in self._released(self._out_way):
            self.raw.write(frame)

    def _pull(self) -> bytes:
        for way in self._lanes:
            if way != self._out_way:
                self._ready += b"".join(self._released(way))
        if self._hanging():
            return b""
        data = bytes(self._ready)
        self._ready.clear()
        return data

    def _next_s(self) -> float | None:
        times = [when_s for lane in self._lanes.values() for _, when_s, _ in lane.held if when_s > 0]
        return min(times) if times else None

    def _fates(self, frame: bytes, way: Way, passed: bool = False) -> list[bytes]:
        """What comes out for one frame that goes in, with what was held back until now. passed: it is out already."""
        lane = self._lanes[way]
        number, frames = lane.count, [] if passed else [frame]
        for fault in [each for each in self._faults if not passed and each.toward == way and self._hits(each, number)]:
            self.acted[fault] += 1
            frames = self._apply(fault, lane, number, frames)
        lane.past.append(frame)
        lane.count += 1
        return [each for each in (*frames, *self._released(way)) if each]

    def _released(self, way: Way) -> list[bytes]:
        """Held back, and now due: by count, or by the clock."""
        lane, now_s = self._lanes[way], self.now_s()
        due = [each for each in lane.held if (each[1] <= now_s if each[1] > 0 else each[0] < lane.count)]
        lane.held = [each for each in lane.held if each not in due]
        return [frame for _, _, frame in due]

    def _hits(self, fault: LinkFault, number: int) -> bool:
        if number < fault.first or (fault.times is not None and self.acted[fault] >= fault.times):
            return False
        return chance.share(self.seed, f"{self.name}/{fault.toward}/{fault.kind}", number) < fault.chance

    def _hanging(self) -> bool:
        count = self._lanes["to_device"].count
        return any(fault.kind == "hang" and count >= fault.first and not self._used_up(fault) for fault in self._faults)

    def _used_up(self, fault: LinkFault) -> bool:
        return fault.times is not None and self.acted[fault] >= fault.times

    def _count_hang(self) -> None:
        if self._out_way != "to_device":
            return
        for fault in self._faults:
            if fault.kind == "hang":
                self.acted[fault] += 1

    def _apply(self, fault: LinkFault, lane: Lane, number: int, frames: list[bytes]) -> list[bytes]:
        match fault.kind:
            case "loss" | "unanswered":
                return []
            case "corruption":
                return [self._flip(frame, fault, number) for frame in frames]
            case "duplication":
                return frames + frames
            case "reordering" | "delay" | "late_reply":
                when_s = self.now_s() + fault.delay_s if fault.delay_s else 0.0
                lane.held += [(number + fault.frames, when_s, frame) for frame in frames]
                return []
            case "replay":
                return frames + ([lane.past[-fault.frames]] if len(lane.past) >= fault.frames else [])
            case "wrong_baud":
                return [as_read_at(frame, fault.sent_baud, fault.read_baud) for frame in frames]
            case "disconnect":
                self._disconnect()
                return []
        return frames  # hang: not a matter of single frames

    def _flip(self, frame: bytes, fault: LinkFault, number: int) -> bytes:
        damaged = bytearray(frame)
        for k in range(fault.bits):
            bit = chance.below(8 * len(frame), self.seed, f"{self.name}/{fault.toward}/bits", number, k)
            damaged[bit // 8] ^= 1 << bit % 8
        return bytes(damaged)

    def _disconnect(self) -> None:
        """To whoever uses us it is a hang-up like any other."""
        loop, told = self._loop, self._on_down
        self._cut = f"{self.name}: disconnected by a fault"
        self._disarm()
        self.raw.close()
        if told is not None and loop is not None:
            loop.call_soon(self._end, self._cut)
