"""A firmware on a bench: the program that is started, and a host that speaks the published page and nothing else of ours.

Lines are made and taken apart here from the page alone, so that a mistake of the project's own framing cannot hide one of the
firmware. Waiting is bounded by generous limits; nothing asserts how long the computer took.
"""

import os
import select
import subprocess
import time
from binascii import crc_hqx
from dataclasses import dataclass, field
from types import TracebackType

PATIENCE_S = 20.0  # for any one answer, on a loaded machine
STOP_BYTE = b"\x18"


def frame(body: str, start: str = ">") -> bytes:
    """A whole line around "SS VERB arguments"."""
    head = (start + body).encode("ascii")
    return b"%s*%04X\r\n" % (head, crc_hqx(head, 0xFFFF))


def unframe(line: bytes) -> str:
    """The body of a line with a right CRC, its start character included; AssertionError otherwise."""
    head, star, crc = line.rpartition(b"*")
    assert star and crc == b"%04X" % crc_hqx(head, 0xFFFF), f"the device sent {line!r}"
    return head.decode("ascii")


@dataclass(frozen=True)
class Status:
    """A status line of three axes, um."""

    state: int
    flags: int
    first: tuple[int, ...]
    differences: tuple[int, ...]

    @classmethod
    def of(cls, words: list[str]) -> "Status":
        """From the words after the time stamp."""
        state, flags, *readings = map(int, words)
        assert len(readings) == 6, f"three axes have six readings: {words}"
        return cls(state, flags, tuple(readings[:3]), tuple(readings[3:]))


@dataclass
class Line:
    """Bytes to and from a firmware; `process` is what runs it."""

    process: subprocess.Popen[bytes]
    read_fd: int
    write_fd: int
    sequence: int = -1
    heard: list[str] = field(default_factory=list)  # bodies of all lines, with start character
    _rest: bytes = b""
    _waited: int = 0  # so many of `heard` were looked at by `wait_for`

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        self.close()

    def close(self) -> None:
        """Only the line, not the program."""
        for fd in {self.read_fd, self.write_fd}:
            os.close(fd)

    def send(self, data: bytes) -> None:
        """Bytes as they are."""
        while data:
            data = data[os.write(self.write_fd, data):]

    def listen(self, seconds: float) -> list[str]:
        """Take in what comes within a time; new lines."""
        before, until = len(self.heard), time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and select.select([self.read_fd], [], [], left)[0]:
            self._take(os.read(self.read_fd, 4096))
        return self.heard[before:]

    def wait_for(self, start: str) -> str:
        """The next line that begins so; lines before it have been waited for in vain and are only in `heard`."""
        until = time.monotonic() + PATIENCE_S
        while True:
            while self._waited < len(self.heard):
                self._waited += 1
                if self.heard[self._waited - 1].startswith(start):
                    return self.heard[self._waited - 1]
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.read_fd], [], [], left)[0]:
                raise AssertionError(f"no line {start!r} within {PATIENCE_S:g} s; heard last: {self.heard[-5:]}")
            self._take(os.read(self.read_fd, 4096))

    def ask(self, request: str) -> str:
        """One new request; its answer without start and sequence: "OK t ..." or "ER t ..."."""
        self.sequence = (self.sequence + 1) % 256
        self.send(frame(f"{self.sequence:02X} {request}"))
        return self.wait_for(f"<{self.sequence:02X} ")[4:]

    def ok(self, request: str) -> list[str]:
        """One new request that must succeed; what follows the time stamp."""
        words = self.ask(request).split(" ")
        assert words[0] == "OK", f"{request} was answered with {' '.join(words)}"
        return words[2:]

    def refused(self, request: str) -> str:
        """One new request that must be refused; "code word details"."""
        words = self.ask(request).split(" ")
        assert words[0] == "ER", f"{request} was answered with {' '.join(words)}"
        return " ".join(words[2:])

    def counters(self) -> dict[str, int]:
        """`CN` by name."""
        return dict(zip(("good", "invalid", "repeated", "old", "stops", "expiries"), map(int, self.ok("CN")), strict=True))

    def hello(self) -> dict[str, str]:
        """`HI` by key."""
        return dict(word.split("=", 1) for word in self.ok("HI"))

    def ready(self, *setting: str) -> "Line":
        """Watchdog at its longest, out of BOOT."""
        self.ok("WD 10000")
        for request in (f"RS {self.hello()['session']}", *setting):
            self.ok(request)
        return self

    def status(self) -> "Status":
        """`ST`."""
        return Status.of(self.ok("ST"))

    def _take(self, data: bytes) -> None:
        assert data, f"the firmware has ended, exit {self.process.poll()}"
        *lines, self._rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n")
        self.heard += [unframe(line) for line in lines if line]
