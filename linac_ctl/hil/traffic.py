"""Bytes of a line as people read them: one entry a line, with what is wrong with it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from device_models.interface.wire.framing import DEVICE_HEARS, HOST_HEARS, STARTS, STOP_BYTE, crc, parse

from .client import MAXLINE, Piece
from .meaning import Listener
from .verdict import Heard

MOST = 400  # entries of one check
LONGEST = 200  # characters of an entry
MOST_HELD = 100_000  # bytes of a line that does not end
STOP = bytes((STOP_BYTE,))
BEGINS = {True: re.compile(rb"(?=>)"), False: re.compile(rb"(?=[<~!])")}
CUT_OFF = "cut off by a new start character"


def shown(traffic: Iterable[Piece], begin_us: int) -> list[Heard]:
    """Of one check: its beginning and its end, if there is too much."""
    entries = list(lines(traffic, begin_us))
    if len(entries) <= MOST:
        return entries
    left_out = Heard(entries[MOST // 2].t_ms, False, f"... {len(entries) - MOST} lines left out ...")
    return [*entries[: MOST // 2], left_out, *entries[-MOST // 2 :]]


def lines(traffic: Iterable[Piece], begin_us: int) -> Iterator[Heard]:
    """All of them, and at the end what was not ended."""
    reader = Reader(begin_us)
    for piece in traffic:
        yield from reader.feed(piece)
    yield from reader.rest()


@dataclass(slots=True)
class Reader:
    """Puts lines together from pieces of both directions; the time is that of a line's last byte. Keeps a bounded part of one."""

    begin_us: int
    listener: Listener = field(default_factory=Listener)
    _held: dict[bool, bytes] = field(default_factory=lambda: {True: b"", False: b""})
    _last_us: int = 0

    def feed(self, piece: Piece) -> Iterator[Heard]:
        """Lines that end in this piece. A stop byte is a line of its own: it is not part of any other."""
        self._last_us, sent = piece.t_us, piece.sent
        data = piece.data
        if sent and STOP in data:
            for _ in range(data.count(STOP)):
                yield Heard(self._since(piece.t_us), sent, "\\x18", meaning="stop byte")
            data = data.replace(STOP, b"")
        *whole, rest = (self._held[sent] + data).replace(b"\r", b"\n").split(b"\n")
        self._held[sent] = rest[:MOST_HELD]
        for line in whole:
            yield from self._entries(piece.t_us, sent, line)

    def rest(self) -> Iterator[Heard]:
        """What nobody has ended."""
        held, self._held = self._held, {True: b"", False: b""}
        for sent, line in held.items():
            yield from self._entries(self._last_us, sent, line)

    def _entries(self, t_us: int, sent: bool, line: bytes) -> Iterator[Heard]:
        """A start character begins a new line; what it cuts off is none."""
        *cut, whole = BEGINS[sent].split(line)
        yield from (self._entry(t_us, sent, piece, CUT_OFF) for piece in cut if piece)
        if whole:
            yield self._entry(t_us, sent, whole)

    def _entry(self, t_us: int, sent: bool, line: bytes, why: str = "") -> Heard:
        text = printable(line)
        shown = text if len(text) <= LONGEST else f"{text[:LONGEST]} ({len(line)} bytes)"
        good = parse(line)
        why = why or (problem(line) if good is None else misplaced(sent, line))
        if good is None or why:
            return Heard(self._since(t_us), sent, shown, why)
        return Heard(self._since(t_us), sent, shown, meaning=self.listener.meaning(good))

    def _since(self, t_us: int) -> float:
        return (t_us - self.begin_us) / 1000.0


def misplaced(sent: bool, line: bytes) -> str:
    """What is wrong with a line that is valid by itself."""
    if len(line) > MAXLINE:
        return f"longer than {MAXLINE} characters"
    return "" if line[:1] in (DEVICE_HEARS if sent else HOST_HEARS) else "goes the wrong way"


def printable(line: bytes) -> str:
    """Bytes that are no characters as \\xNN."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02X}" for byte in line)


def problem(line: bytes) -> str:
    """Why it is no valid line; "" if it is one."""
    if parse(line) is not None:
        return ""
    if line[:1] not in {bytes((start,)) for start in STARTS}:
        later = any(start in line for start in STARTS)
        return "begins with something else" if later else "no start character: typed, or noise"
    if any(not 0x20 <= byte < 0x7F for byte in line):
        return "has bytes that are no characters"
    if line[-5:-4] != b"*":
        return "no CRC at its end"
    if (right := crc(line[:-5])) != line[-4:]:
        return f"CRC {line[-4:].decode('ascii')} instead of {right.decode()}"
    return "CRC right, form wrong"
