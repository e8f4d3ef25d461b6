"""The speed of a serial line, where there is none: a pty or a socket carries a frame at once, a line bit by bit."""

from collections.abc import Callable

from .contract import Stream
from .fd import LIMIT_BYTES
from .timed import Clock, TimedWrapper

BITS_PER_BYTE = 10  # 8N1: start, eight, stop
STALL_S = 0.02  # until the next attempt at a peer that does not read
STEP_S = 0.001  # bytes arrive in portions of this time: a timer per byte would cost a core
FULL_BYTES = 4096  # on their way to us: beyond it we do not read on, and the peer's write waits as at a real port


class Line:
    """One direction: bytes in, the same bytes out when they have gone through."""

    def __init__(self) -> None:
        self._queue = bytearray()
        self._begun_s = 0.0  # when the first byte of the queue began
        self._bytes_per_s = 0.0

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, data: bytes, now_s: float, baud: int) -> None:
        """Behind whatever is on the line."""
        if not self._queue:
            self._begun_s = max(now_s, self._begun_s)
        self._bytes_per_s = max(1, baud) / BITS_PER_BYTE
        self._queue += data

    def take(self, now_s: float) -> bytes:
        """Bytes whose stop bit is over."""
        count = min(len(self._queue), max(0, int((now_s - self._begun_s) * self._bytes_per_s + 1e-6)))
        done = bytes(self._queue[:count])
        del self._queue[:count]
        if count:
            self._begun_s += count / self._bytes_per_s
        return done

    def put_back(self, data: bytes, now_s: float) -> None:
        """The other end cannot take it: it stands on the line."""
        self._queue[:0] = data
        self._begun_s = now_s + STALL_S

    def next_s(self) -> float | None:
        """When the next portion is through."""
        if not self._queue:
            return None
        portion = min(len(self._queue), max(1, int(self._bytes_per_s * STEP_S)))
        return self._begun_s + portion / self._bytes_per_s


class PacedStream(TimedWrapper):
    """Both directions at `baud()`, asked for every frame: a client may change it. 0 = no rate is set, nothing is slowed down."""

    def __init__(self, raw: Stream, baud: Callable[[], int], now_s: Clock, limit_bytes: int = LIMIT_BYTES) -> None:
        super().__init__(raw, now_s)
        self.baud, self.limit_bytes = baud, limit_bytes
        self._out, self._in = Line(), Line()
        self._refused = 0
        self._paused = False

    @property
    def dropped(self) -> int:
        """Frames for which there was no room on this side of the line."""
        return self._refused

    def write(self, frame: bytes) -> bool:
        """On the line when there is room for all of it."""
        if not self.up:
            return False
        if len(self._out) + len(frame) > self.limit_bytes:
            self._refused += 1
            return False
        if (rate := self.baud()) <= 0 and not self._out:
            return self.raw.write(frame)
        self._out.put(frame, self.now_s(), rate)
        self._push()
        self._arm()
        return True

    def _push(self) -> None:
        now_s = self.now_s()
        done = self._out.take(now_s)
        if done and not self.raw.write(done) and self.up:
            self._out.put_back(done, now_s)

    def _pull(self) -> bytes:
        data = self._in.take(self.now_s())
        if self._paused and len(self._in) < FULL_BYTES and self._loop is not None:
            self._paused = False
            self.raw.attach(self._loop, self._came, self._end)
        return data

    def _take(self, data: bytes) -> None:
        if not data:
            return
        self._in.put(data, self.now_s(), self.baud() or 10**9)
        if len(self._in) >= FULL_BYTES and self._loop is not None and not self._paused:
            self._paused = True
            self.raw.detach()

    def _next_s(self) -> float | None:
        times = [time_s for line in (self._out, self._in) if (time_s := line.next_s()) is not None]
        return min(times) if times else None

    def _left(self) -> bool:
        return len(self._in) > 0
