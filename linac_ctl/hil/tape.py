r"""Tap files: bytes as they went over a line, in both directions, before anything was made of them.

    # linac-ctl tap 1: us cycle direction bytes
    12345 17 > >01 HI*2CC2\r\n

Time in us from any zero; cycle of the controller or `-`; `>` to the device, `<` from it; bytes with \\ \r \n \xNN.
"""

import re
from collections.abc import Iterable, Iterator

from linac_ctl.errors import RecordError

from .client import Piece

HEAD = "# linac-ctl tap 1"
HEADER = f"{HEAD}: us cycle direction bytes"
ROW = re.compile(r"(-?[0-9]{1,18}) (-|[0-9]{1,18}) ([<>]) ([ -~]*)")
ESCAPE = re.compile(r"\\(?:x([0-9A-F]{2})|([rn\\]))")
FIRST, SENT = re.compile(rb"[><~!\x18]"), (b">", b"\x18")
NAMED = {"r": b"\r", "n": b"\n", "\\": b"\\"}


def row(piece: Piece, cycle: int | None = None) -> str:
    """One line of the file, without its end."""
    return f"{piece.t_us} {'-' if cycle is None else cycle} {'>' if piece.sent else '<'} {escaped(piece.data)}"


def escaped(data: bytes) -> str:
    """Printable; reads back as the same bytes."""
    text = data.decode("latin-1").replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")
    return re.sub(r"[^ -~]", lambda found: f"\\x{ord(found[0]):02X}", text)


def unescaped(text: str) -> bytes:
    """The bytes again; ValueError for a backslash that means nothing."""
    if "\\" in ESCAPE.sub("", text):
        raise ValueError(f"not an escape in {text[:60]!r}")
    return b"".join(_parts(text))


def _parts(text: str) -> Iterator[bytes]:
    end = 0
    for found in ESCAPE.finditer(text):
        yield text[end : found.start()].encode("latin-1")
        yield bytes((int(found[1], 16),)) if found[1] else NAMED[found[2]]
        end = found.end()
    yield text[end:].encode("latin-1")


def pieces(data: bytes, name: str) -> list[Piece]:
    """Of a tap file, or of raw bytes, which have neither times nor directions but those their start characters tell."""
    if not data.startswith(HEAD.encode()):
        return list(raw(data))
    return list(rows(data.decode("latin-1").split("\n"), name))


def rows(lines: Iterable[str], name: str) -> Iterator[Piece]:
    """RecordError names the line that is none. An unfinished last line is left out: somebody is still writing it."""
    for number, line in enumerate(lines, 1):
        if not line or line.startswith("#"):
            continue
        if (piece := parsed(line)) is None:
            raise RecordError(f"{name}:{number}: not a line of a tap file: {line[:60]!r}; like: 12345 - > >01 HI*2CC2\\r\\n")
        yield piece


def parsed(line: str) -> Piece | None:
    """None if it is none."""
    if (found := ROW.fullmatch(line)) is None:
        return None
    try:
        return Piece(int(found[1]), found[3] == ">", unescaped(found[4]))
    except ValueError:
        return None


def raw(data: bytes) -> Iterator[Piece]:
    """Line by line; what has a `>` before any other start character, or a stop byte, was sent."""
    for line in re.split(rb"(?<=\n)|(?<=\r)(?!\n)", data):
        if line:
            start = FIRST.search(line)
            yield Piece(0, start is not None and start[0] in SENT, line)
