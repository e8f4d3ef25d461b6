"""A stream over any file descriptor: terminal, pty end or socket. Reading and writing are ours.

pyserial's write spins for ever when the peer stops reading, and its readline takes 400 us; so others open and set up, and
this moves the bytes. The buffer is bounded and takes whole frames or nothing: after a stall the peer finds no half a frame.
"""

import errno
import os
import select
import time

from .contract import Loop, OnBytes, OnDown

CHUNK = 4096  # a pty gives no more at once; larger reads cost an mmap each
LIMIT_BYTES = 16384
WORDS = {
    errno.EIO: "the other end closed, or the adapter was unplugged",
    errno.ENXIO: "the device is gone",
    errno.ENODEV: "the device is gone",
    errno.EPIPE: "the other end closed",
    errno.ECONNRESET: "the other end broke the connection",
    errno.ETIMEDOUT: "the other end no longer answers",
}


class FdStream:
    """Owns `fd` from now on: sets it non-blocking, and closes it at hang-up, so that a replugged adapter gets its old name."""

    def __init__(self, fd: int, name: str, limit_bytes: int = LIMIT_BYTES) -> None:
        self.name, self.limit_bytes = name, limit_bytes
        self.up, self.why, self.dropped = True, "", 0
        self.closed_here = False  # down because close() was called, not because the peer went
        self._fd = fd
        self._out = bytearray()  # taken, not yet written
        self._rest = b""  # last words of a peer whose hang-up a write noticed
        self._loop: Loop | None = None
        self._on_bytes: OnBytes | None = None
        self._on_down: OnDown | None = None
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)
        os.set_blocking(fd, False)

    @property
    def waiting_bytes(self) -> int:
        """Taken but not yet accepted by the kernel, because the peer does not read."""
        return len(self._out)

    def fileno(self) -> int:
        """The descriptor; -1 once it is closed."""
        return self._fd

    def write(self, frame: bytes) -> bool:
        """Take the whole frame or nothing."""
        if self._out:
            self._flush()
        if not self.up:
            return False
        if len(self._out) + len(frame) > self.limit_bytes:
            self.dropped += 1
            return False
        done = 0 if self._out else self._put(frame)
        if done < len(frame) and self.up:  # the rest of a begun frame must follow
            self._out += memoryview(frame)[done:]
            self._want_write(True)
        return self.up

    def read(self, timeout_s: float = 0.0) -> bytes:
        """What is there; writes what waits meanwhile."""
        if self._out:
            self._flush()
        if not self.up:
            rest, self._rest = self._rest, b""
            return rest
        data = self._get()  # mostly it is there already: a wait first would be one more call into the kernel
        return data if data or timeout_s <= 0 or not self._ready(timeout_s) else self._get()

    def attach(self, loop: Loop, on_bytes: OnBytes, on_down: OnDown) -> None:
        """From now on the loop calls; a hang-up noticed earlier is told too."""
        self.detach()
        self._loop, self._on_bytes, self._on_down = loop, on_bytes, on_down
        if not self.up:
            loop.call_soon(self._tell_down)
            return
        loop.add_reader(self._fd, self._readable)
        if self._out:
            loop.add_writer(self._fd, self._flush)

    def detach(self) -> None:
        """The loop forgets us; what waits to be written goes out with the next read() or write()."""
        if self._loop is not None and self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
        self._loop = self._on_bytes = self._on_down = None

    def close(self) -> None:
        """Ours to close: nobody is told."""
        self.detach()
        if self.up:
            self.closed_here = True
            self._end("closed on this side")

    def _ready(self, timeout_s: float) -> bool:
        """Wait until something can be read (or the peer has gone); what waits goes out as soon as it can."""
        until_s = time.monotonic() + timeout_s
        while self.up:
            left_ms = max(0.0, until_s - time.monotonic()) * 1e3
            events = self._poll.poll(left_ms)
            if not events or events[0][1] & ~select.POLLOUT:
                return bool(events)
            self._flush()
        return False

    def _get(self) -> bytes:
        """One read. An empty one or an error is a hang-up: the line is raw, so nothing to read is EAGAIN."""
        try:
            data = os.read(self._fd, CHUNK)
        except BlockingIOError:
            return b""
        except OSError as error:
            self._hang_up(_words(error))
            return b""
        if not data:
            self._hang_up("the other end closed")
        return data

    def _put(self, data: bytes | bytearray) -> int:
        """One write: how many bytes the kernel took."""
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._rest = self._last_words()
            self._hang_up(_words(error))
            return 0

    def _last_words(self) -> bytes:
        """What a peer that is gone had still sent."""
        said = bytearray()
        try:
            while data := os.read(self._fd, CHUNK):
                said += data
        except OSError:
            pass  # nothing more
        return bytes(said)

    def _flush(self) -> None:
        done = self._put(self._out)
        del self._out[:done]
        if self.up and not self._out:
            self._want_write(False)

    def _want_write(self, wanted: bool) -> None:
        self._poll.modify(self._fd, select.POLLIN | (select.POLLOUT if wanted else 0))
        if self._loop is not None:
            if wanted:
                self._loop.add_writer(self._fd, self._flush)
            else:
                self._loop.remove_writer(self._fd)

    def _readable(self) -> None:
        data = self._get()
        if data and self._on_bytes is not None:
            self._on_bytes(data)

    def _hang_up(self, why: str) -> None:
        """Noticed once. The callback comes from the loop, never out of the middle of somebody's write()."""
        loop = self._loop
        if loop is not None:
            loop.remove_reader(self._fd)
            loop.remove_writer(self._fd)
        self._end(why)
        if loop is not None:
            loop.call_soon(self._tell_down)

    def _tell_down(self) -> None:
        if self._rest and self._on_bytes is not None:
            rest, self._rest = self._rest, b""
            self._on_bytes(rest)
        if self._on_down is not None:
            told, self._on_down = self._on_down, None
            told(self.why)

    def _end(self, why: str) -> None:
        self.up, self.why = False, f"{self.name}: {why}"
        self._out.clear()
        fd, self._fd = self._fd, -1
        os.close(fd)


def _words(error: OSError) -> str:
    return WORDS.get(error.errno or 0) or os.strerror(error.errno or 0).lower()
