"""Recordings: tap files, and raw bytes from anywhere."""

import re
from collections.abc import Iterable, Iterator

from device_models.interface.stream.tap import HEADER, read_taps
from linac_ctl.errors import RecordError

from .client import Piece

HEAD = HEADER.partition(":")[0].encode()
FIRST, SENT = re.compile(rb"[><~!\x18]"), (b">", b"\x18")


def pieces(data: bytes, name: str) -> list[Piece]:
    """Of a tap file, or of raw bytes, which have neither times nor directions but those their start characters tell."""
    if not data.startswith(HEAD):
        return list(raw(data))
    return list(rows((line + "\n" for line in data.decode("latin-1").split("\n")[:-1]), name))


def rows(lines: Iterable[str], name: str) -> Iterator[Piece]:
    """RecordError names the line that is none. Lines have their ends."""
    try:
        for one in read_taps(lines):
            yield Piece(one.t_us, one.to_device, one.data)
    except ValueError as error:
        raise RecordError(f"{name}: {error}; like: 12345 - > >01 HI*2CC2\\r\\n") from None


def raw(data: bytes) -> Iterator[Piece]:
    """Line by line; what has a `>` before any other start character, or a stop byte, was sent."""
    for line in re.split(rb"(?<=\n)|(?<=\r)(?!\n)", data):
        if line:
            start = FIRST.search(line)
            yield Piece(0, start is not None and start[0] in SENT, line)
