r"""Every byte of a line, before anybody makes anything of it. One portion a row, readable with a pager, and again by `read_taps`:

    # linac-ctl tap 1: us cycle direction bytes
    12345 17 > >01 HI*2CC2\r\n

Time in us from any zero; cycle of the controller, or `-`; `>` to the device, `<` from it; bytes with \\ \r \n \xNN.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO

from .contract import Loop, OnBytes, OnDown, Stream
from .wrapper import Wrapper

HEADER = "# linac-ctl tap 1: us cycle direction bytes"
LIMIT_BYTES = 1 << 20  # of bytes not yet in the file: eleven seconds of 921600 baud
ROW = re.compile(r"(-?[0-9]{1,18}) (-|[0-9]{1,18}) ([<>]) ([ -~]*)")
ESCAPE = re.compile(r"\\(?:x([0-9A-F]{2})|([rn\\]))")
NAMED = {"r": b"\r", "n": b"\n", "\\": b"\\"}


@dataclass(frozen=True, slots=True)
class Tapped:
    """One portion of bytes."""

    t_us: int
    cycle: int | None
    to_device: bool
    data: bytes


class TapFile:
    """Rows wait here until flush(): note() never touches the disk, since it is called in the middle of a cycle."""

    def __init__(self, file: TextIO, limit_bytes: int = LIMIT_BYTES) -> None:
        self.limit_bytes = limit_bytes
        self.lost_bytes = 0  # for which there was no room: said in the file where they are missing
        self._file, self._size, self._gap = file, 0, 0
        self._rows: list[Tapped] = []
        file.write(HEADER + "\n")

    def note(self, portion: Tapped) -> None:
        """In memory, until the next flush."""
        if self._size + len(portion.data) > self.limit_bytes:
            self.lost_bytes += len(portion.data)
            self._gap += len(portion.data)
            return
        self._rows.append(portion)
        self._size += len(portion.data)

    def flush(self) -> None:
        """To the file; call it where there is time."""
        rows, self._rows, self._size = self._rows, [], 0
        self._file.writelines(row(portion) + "\n" for portion in rows)
        if self._gap:
            self._file.write(f"# {self._gap} bytes are missing here: the buffer was full\n")
            self._gap = 0
        self._file.flush()

    def close(self) -> None:
        """What was not flushed is lost; never raises, also with a full disk. May be repeated."""
        with suppress(OSError):
            self._file.close()


class TappedStream(Wrapper):
    """Notes what goes through. Refused frames never were on the line and are not noted."""

    def __init__(self, raw: Stream, note: Callable[[Tapped], None], now_us: Callable[[], int],
                 cycle: Callable[[], int | None] = lambda: None, at_device: bool = False) -> None:
        super().__init__(raw)
        self._note, self._now_us, self._cycle, self._at_device = note, now_us, cycle, at_device

    def write(self, frame: bytes) -> bool:
        """Noted with the time before it went: no answer is older than its request."""
        now_us = self._now_us()
        if taken := self.raw.write(frame):
            self._add(now_us, not self._at_device, frame)
        return taken

    def read(self, timeout_s: float = 0.0) -> bytes:
        """Noted as it comes."""
        return self._heard(self.raw.read(timeout_s))

    def attach(self, loop: Loop, on_bytes: OnBytes, on_down: OnDown) -> None:
        """Noted as it comes."""
        self.raw.attach(loop, lambda data: on_bytes(self._heard(data)), on_down)

    def _heard(self, data: bytes) -> bytes:
        if data:
            self._add(self._now_us(), self._at_device, data)
        return data

    def _add(self, t_us: int, to_device: bool, data: bytes) -> None:
        self._note(Tapped(t_us, self._cycle(), to_device, data))


def row(portion: Tapped) -> str:
    """One line of the file, without its end."""
    cycle = "-" if portion.cycle is None else portion.cycle
    return f"{portion.t_us} {cycle} {'>' if portion.to_device else '<'} {escaped(portion.data)}"


def read_taps(lines: Iterable[str]) -> Iterator[Tapped]:
    """The portions again; ValueError names the row that is none. A last row without its end is still being written: left out."""
    for number, line in enumerate(lines, 1):
        if not line.endswith("\n"):
            return
        if line.startswith("#") or line == "\n":
            continue
        if (found := ROW.fullmatch(line[:-1])) is None:
            raise ValueError(f"line {number} is no row of a tap file: {line[:60]!r}")
        cycle = None if found[2] == "-" else int(found[2])
        yield Tapped(int(found[1]), cycle, found[3] == ">", unescaped(found[4]))


def escaped(data: bytes) -> str:
    """Printable; reads back as the same bytes."""
    text = data.decode("latin-1").replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")
    return re.sub(r"[^ -~]", lambda found: f"\\x{ord(found[0]):02X}", text)


def unescaped(text: str) -> bytes:
    """The bytes again; ValueError for a backslash that means nothing."""
    if "\\" in ESCAPE.sub("", text):
        raise ValueError(f"not an escape in {text[:60]!r}")
    return ESCAPE.sub(lambda found: (bytes((int(found[1], 16),)) if found[1] else NAMED[found[2]]).decode("latin-1"),
                      text).encode("latin-1")
