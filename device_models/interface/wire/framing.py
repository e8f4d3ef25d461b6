"""Lines of the wire protocol: made, taken apart, counted. Anything invalid is dropped and counted, never an exception.

docs/reference/wire-protocol.md is the contract; `binascii.crc_hqx` is its CRC.
"""

import re
from binascii import crc_hqx
from collections.abc import Iterator
from dataclasses import dataclass, field

REQUEST, REPLY, TELEMETRY, EVENT = b">", b"<", b"~", b"!"
STARTS = b"><~!"
DEVICE_HEARS, HOST_HEARS = REQUEST, REPLY + TELEMETRY + EVENT
STOP_BYTE = 0x18
MAXLINE = 160  # characters from the start to the CRC, unless the device says more
LARGEST = 2**31 - 1

ARG = rb"(?:-?[0-9]{1,10}|[A-Za-z0-9_.,:/+-]+(?:=[A-Za-z0-9_.,:/+=-]*)?)"
LINE = re.compile(rb"([><~!])([0-9A-F]{2}) ([A-Z]{2})((?: " + ARG + rb")*)\*([0-9A-F]{4})", re.ASCII)
PLAIN = re.compile(rb"([A-Z]{2})((?: " + ARG + rb")*)", re.ASCII)
PRINTABLE = bytes(range(0x20, 0x7F))


@dataclass(frozen=True, slots=True)
class Line:
    """One valid line. `args` are as they came; `raw` is without line end and with CRC (empty for a plain line)."""

    start: bytes
    sequence: int
    verb: str
    args: tuple[str, ...]
    raw: bytes = b""

    @property
    def plain(self) -> bool:
        """Typed by a person: no start character, no CRC."""
        return not self.raw


def crc(line: bytes) -> bytes:
    """CRC-16/CCITT-FALSE as the four characters on the wire."""
    return b"%04X" % crc_hqx(line, 0xFFFF)


def make(start: bytes, sequence: int, body: str) -> bytes:
    """A whole line with its end. `body`: verb and arguments."""
    head = b"%s%02X %s" % (start, sequence & 0xFF, body.encode("ascii"))
    return b"%s*%04X\r\n" % (head, crc_hqx(head, 0xFFFF))


def parse(raw: bytes) -> Line | None:
    """The line in `raw` (no line end), or None if anything at all is wrong with it."""
    if raw[-5:-4] != b"*" or raw[-4:] != crc(raw[:-5]):
        return None
    if (found := LINE.fullmatch(raw)) is None:
        return None
    start, sequence, verb, args, _ = found.groups()
    return Line(start, int(sequence, 16), verb.decode(), tuple(args.decode().split()), raw)


def parse_plain(raw: bytes) -> Line | None:
    """A line that a person typed."""
    if (found := PLAIN.fullmatch(raw)) is None:
        return None
    verb, args = found.groups()
    return Line(b"", 0, verb.decode(), tuple(args.decode().split()))


@dataclass(slots=True)
class Counts:
    """What became of all that was heard."""

    good: int = 0
    invalid: int = 0
    repeated: int = 0
    old: int = 0
    stops: int = 0
    expiries: int = 0


@dataclass(slots=True)
class Decoder:
    """Bytes in any pieces -> valid lines, one by one. Keeps at most `maxline` + 1 bytes of an unfinished one.

    `hears`: start characters of the own kinds. `plain`: typed lines are taken as well, until the first valid one with a CRC.
    """

    hears: bytes = HOST_HEARS
    plain: bool = False
    maxline: int = MAXLINE
    counts: Counts = field(default_factory=Counts)
    _held: bytes = b""

    def feed(self, data: bytes) -> Iterator[Line]:
        """Valid lines among `data`; call it with everything that came, and go through all of it."""
        *whole, rest = (self._held + data).replace(b"\r", b"\n").split(b"\n")
        self._held = b""
        for piece in whole:
            if piece and (line := self._line(self._from_start(piece))) is not None:
                yield line
        self._held = self._from_start(rest)[: self.maxline + 1]  # one too many is too long, however many follow

    def drop(self) -> None:
        """Forget an unfinished line: its sender is gone."""
        self.counts.invalid += 1 if self._held else 0
        self._held = b""

    def _from_start(self, piece: bytes) -> bytes:
        """What follows the last start character, with it; whatever it cut off is counted."""
        at = 0
        for start in self.hears:  # a loop: `max` over a generator takes three times as long, and this is done for every line
            found = piece.rfind(start)
            at = found if found > at else at
        if at > 0:
            before = piece[:at]
            self.counts.invalid += sum(before.count(start) for start in self.hears) + (0 if before[0] in self.hears else 1)
            return piece[at:]
        return piece

    def _line(self, piece: bytes) -> Line | None:
        line = self._valid(piece) if len(piece) <= self.maxline else None
        self.counts.good += 1 if line is not None else 0
        self.counts.invalid += 0 if line is not None else 1
        return line

    def _valid(self, piece: bytes) -> Line | None:
        if piece[0] in self.hears:
            line = parse(piece)
            self.plain = self.plain and line is None
            return line
        return parse_plain(piece) if self.plain else None


def integer(text: str, low: int = -LARGEST - 1, high: int = LARGEST) -> int | None:
    """The number in `text`, or None: `int` alone takes signs, spaces and underscores that the wire does not."""
    digits = text[1:] if text[:1] == "-" else text
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
        return None
    value = int(text)
    return value if low <= value <= high else None
