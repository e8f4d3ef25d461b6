"""A wrapper in which bytes take time: on their way to the peer, on their way to us, or both. The clock is an argument."""

from asyncio import TimerHandle
from collections.abc import Callable

from .contract import Loop, OnBytes, OnDown, Stream
from .wrapper import Wrapper

Clock = Callable[[], float]  # seconds of some time that never goes back


class TimedWrapper(Wrapper):
    """A subclass says what is due; this asks it at the right moments, with a loop or without."""

    def __init__(self, raw: Stream, now_s: Clock) -> None:
        super().__init__(raw)
        self.now_s = now_s
        self._loop: Loop | None = None
        self._on_bytes: OnBytes | None = None
        self._on_down: OnDown | None = None
        self._timer: TimerHandle | None = None
        self._ended = False  # the stream within is down, and its last bytes may be on their way still

    def read(self, timeout_s: float = 0.0) -> bytes:
        """Ends early where the clock stands still: then nothing more can become due."""
        until_s = self.now_s() + timeout_s
        while not (data := self._due()) and self.up:
            begun_s = self.now_s()
            came = self.raw.read(self._patience_s(until_s - begun_s))
            self._take(came)
            if not came and (self.now_s() >= until_s or self.now_s() == begun_s):
                return self._due()
        return data

    def attach(self, loop: Loop, on_bytes: OnBytes, on_down: OnDown) -> None:
        """Event driven from now on."""
        self._loop, self._on_bytes, self._on_down = loop, on_bytes, on_down
        self.raw.attach(loop, self._came, self._end)
        self._arm()

    def detach(self) -> None:
        """Neither callback is called any more."""
        self._on_bytes = self._on_down = None
        self._disarm()
        self._loop = None
        self.raw.detach()

    def close(self) -> None:
        """What is on its way is lost."""
        self.detach()
        self.raw.close()

    def _push(self) -> None:
        """Give the stream within what is due for the peer."""

    def _pull(self) -> bytes:
        """What is due for us."""
        return b""

    def _take(self, data: bytes) -> None:
        """Bytes of the peer, from the stream within."""

    def _next_s(self) -> float | None:
        """When something becomes due; None = nothing is on its way."""
        return None

    def _left(self) -> bool:
        """Is anything on its way to us, that has to arrive before we say that the peer is gone?"""
        return False

    def _due(self) -> bytes:
        self._push()
        return self._pull()

    def _patience_s(self, left_s: float) -> float:
        next_s = self._next_s()
        return max(0.0, left_s if next_s is None else min(left_s, next_s - self.now_s()))

    def _came(self, data: bytes) -> None:
        self._take(data)
        self._work()

    def _end(self, why: str) -> None:
        self._ended = True
        self._work()

    def _work(self) -> None:
        """Something has come, or become due."""
        data = self._due()
        if data and self._on_bytes is not None:
            self._on_bytes(data)
        if self._ended and not self._left() and self._on_down is not None:
            told, self._on_down = self._on_down, None
            told(self.why)
        self._arm()

    def _arm(self) -> None:
        """One timer, for what becomes due next."""
        self._disarm()
        next_s = self._next_s()
        if self._loop is not None and next_s is not None and self._on_bytes is not None:
            self._timer = self._loop.call_later(max(0.0, next_s - self.now_s()), self._work)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
