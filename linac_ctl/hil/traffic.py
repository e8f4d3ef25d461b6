"""Bytes of a line as people read them: one entry a line, with what is wrong with it."""

from collections.abc import Iterable, Iterator

from device_models.interface.wire.framing import STARTS, crc, parse

from .client import Piece
from .verdict import Heard

MOST = 400  # entries of one check
LONGEST = 200  # characters of an entry


def shown(traffic: Iterable[Piece], begin_us: int) -> list[Heard]:
    """Of one check: its beginning and its end, if there is too much."""
    entries = list(lines(traffic, begin_us))
    if len(entries) <= MOST:
        return entries
    left_out = Heard(entries[MOST // 2].t_ms, False, f"... {len(entries) - MOST} lines left out ...")
    return [*entries[: MOST // 2], left_out, *entries[-MOST // 2 :]]


def lines(traffic: Iterable[Piece], begin_us: int) -> Iterator[Heard]:
    """Both directions, each put together from its pieces; the time is that of a line's last byte."""
    held = {True: b"", False: b""}
    last_us = begin_us
    for piece in traffic:
        last_us = piece.t_us
        *whole, held[piece.sent] = (held[piece.sent] + piece.data).replace(b"\r", b"\n").split(b"\n")
        yield from (entry(piece.t_us - begin_us, piece.sent, line) for line in whole if line)
    yield from (entry(last_us - begin_us, sent, line) for sent, line in held.items() if line)


def entry(t_us: int, sent: bool, line: bytes) -> Heard:
    """One line."""
    text = printable(line)
    return Heard(t_us / 1000.0, sent, text if len(text) <= LONGEST else f"{text[:LONGEST]} ({len(line)} bytes)", problem(line))


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
