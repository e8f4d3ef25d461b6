"""Two ends of a line in memory: what one writes, the other reads, at once and in the same order on every computer."""

from .contract import Loop, OnBytes, OnDown
from .fd import LIMIT_BYTES


class MemoryStream:
    """One end. read() never waits: with both ends in one thread nothing could come meanwhile."""

    def __init__(self, name: str, limit_bytes: int = LIMIT_BYTES) -> None:
        self.name, self.limit_bytes = name, limit_bytes
        self.up, self.why, self.dropped = True, "", 0
        self._in = bytearray()  # written by the other end, not yet read
        self._other: MemoryStream | None = None
        self._loop: Loop | None = None
        self._on_bytes: OnBytes | None = None
        self._on_down: OnDown | None = None

    def fileno(self) -> int:
        """There is none."""
        return -1

    def write(self, frame: bytes) -> bool:
        """The other end has it when this returns, or it was refused."""
        other = self._other
        if not self.up or other is None:
            return False
        if len(other._in) + len(frame) > self.limit_bytes:
            self.dropped += 1
            return False
        other._in += frame
        other._notice()
        return True

    def read(self, timeout_s: float = 0.0) -> bytes:
        """All that is there, also after the other end closed."""
        data = bytes(self._in)
        self._in.clear()
        return data

    def attach(self, loop: Loop | None, on_bytes: OnBytes, on_down: OnDown) -> None:
        """Called by the loop; without a loop (None) from inside the other end's write(): a device that answers at once."""
        self._loop, self._on_bytes, self._on_down = loop, on_bytes, on_down
        self._notice()

    def detach(self) -> None:
        """Neither callback is called any more."""
        self._loop = self._on_bytes = self._on_down = None

    def close(self) -> None:
        """The other end notices after it has read what is there."""
        if not self.up:
            return
        self.detach()
        self.up, self.why = False, f"{self.name}: closed on this side"
        other, self._other = self._other, None
        if other is not None:
            other._other = None
            other.up, other.why = False, f"{other.name}: the other end closed"
            other._notice()

    def _notice(self) -> None:
        if self._on_bytes is None or not (self._in or not self.up):
            return
        if self._loop is None:
            self._deliver()
        else:
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        """All bytes, then the hang-up, once. May find nothing: an earlier call took it."""
        if self._on_bytes is not None and (data := self.read()):
            self._on_bytes(data)
        if not self.up and self._on_down is not None:
            told, self._on_down = self._on_down, None
            told(self.why)


def loopback_pair(name: str = "loopback", limit_bytes: int = LIMIT_BYTES) -> tuple[MemoryStream, MemoryStream]:
    """(controller's end, device's end)."""
    ours, theirs = MemoryStream(name, limit_bytes), MemoryStream(f"{name} (device)", limit_bytes)
    ours._other, theirs._other = theirs, ours
    return ours, theirs
