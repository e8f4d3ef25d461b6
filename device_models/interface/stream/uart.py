"""What a serial receiver makes of bytes that were sent at another rate: the bits, sampled at the wrong moments."""

from collections.abc import Callable

from .contract import Loop, OnBytes, OnDown, Stream
from .wrapper import Wrapper

ALIKE = 0.02  # of the rate: nearer than this every byte is read right


def bits(data: bytes) -> list[int]:
    """Levels on the line, 8N1: start 0, eight bits from the lowest, stop 1."""
    return [level for byte in data for level in (0, *((byte >> k) & 1 for k in range(8)), 1)]


def as_read_at(data: bytes, sent_baud: int, read_baud: int) -> bytes:
    """Bytes sent without a pause at one rate, as read at the other. A framing error is delivered like any byte.

    Times are whole numbers: a sent bit lasts 2 x read_baud, a read one 2 x sent_baud; so nothing depends on rounding.
    """
    levels, bit = bits(data), 2 * read_baud
    end, now, read = len(levels) * bit, 0, bytearray()

    def level(at: int) -> int:
        return levels[at // bit] if at < end else 1

    while (now := _falling(levels, now, bit)) < end:
        samples = [level(now + (2 * k + 1) * sent_baud) for k in range(10)]
        if samples[0]:  # a spike, shorter than half a bit
            now += sent_baud
            continue
        read.append(sum(sample << k for k, sample in enumerate(samples[1:9])))
        now += 19 * sent_baud  # from the middle of the stop bit on it looks for the next start
    return bytes(read)


def _falling(levels: list[int], now: int, bit: int) -> int:
    """When the line next goes from high to low; a line that is low now has to go high first."""
    at = now // bit
    high = now == 0 or (at < len(levels) and levels[at] == 1)
    if now == 0 and levels and levels[0] == 0:
        return 0
    while at < len(levels):
        if high and levels[at] == 0:
            return at * bit
        high = levels[at] == 1
        at += 1
    return len(levels) * bit


class RateStream(Wrapper):
    """Garbles both ways while the two rates differ, as the real thing would; each is asked for every portion of bytes."""

    def __init__(self, raw: Stream, own_baud: Callable[[], int], peer_baud: Callable[[], int]) -> None:
        super().__init__(raw)
        self.own_baud, self.peer_baud = own_baud, peer_baud
        self.garbled = 0

    def write(self, frame: bytes) -> bool:
        """As the peer reads it; a frame of which nothing is left has gone all the same."""
        seen = self._seen(frame, self.own_baud(), self.peer_baud())
        return self.raw.write(seen) if seen else self.up

    def read(self, timeout_s: float = 0.0) -> bytes:
        """As we read it."""
        return self._seen(self.raw.read(timeout_s), self.peer_baud(), self.own_baud())

    def attach(self, loop: Loop, on_bytes: OnBytes, on_down: OnDown) -> None:
        """As we read it."""
        def seen(data: bytes) -> None:
            if found := self._seen(data, self.peer_baud(), self.own_baud()):
                on_bytes(found)

        self.raw.attach(loop, seen, on_down)

    def _seen(self, data: bytes, sent_baud: int, read_baud: int) -> bytes:
        if not data or min(sent_baud, read_baud) <= 0 or abs(sent_baud - read_baud) <= ALIKE * sent_baud:
            return data
        self.garbled += 1
        return as_read_at(data, sent_baud, read_baud)
