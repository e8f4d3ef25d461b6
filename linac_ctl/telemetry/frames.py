"""What goes through the pipe to the publisher: one byte for the kind, then numbers or JSON. One frame, one packet."""

import json
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

OPEN, NUMBERS, STATE, EVENT, INTERLOCK, CLOSE = b"O", b"N", b"S", b"E", b"I", b"C"
HEAD = struct.Struct("<cqqqqqqqq")
LONGEST = 1 << 17  # bytes of one frame


class Stamp(NamedTuple):
    """Head of a snapshot."""

    t_ns: int  # machine time
    w_ns: int  # wall clock
    m_ns: int  # monotonic clock
    seq: int
    lost_numbers: int  # snapshots that did not go through the pipe
    lost_words: int  # events, interlocks and states that did not
    overruns: int
    skipped: int


def numbers_frame(stamp: Stamp, numbers: bytes) -> bytes:
    """`numbers`: little-endian doubles in the order of the layout."""
    return HEAD.pack(NUMBERS, *stamp) + numbers


def read_numbers(frame: bytes) -> tuple[Stamp, Sequence[float]]:
    """What `numbers_frame` made."""
    stamp = Stamp._make(HEAD.unpack_from(frame)[1:])
    return stamp, struct.unpack(f"<{(len(frame) - HEAD.size) // 8}d", frame[HEAD.size:])


def words_frame(kind: bytes, data: Any) -> bytes:
    """`data` has to be plain JSON."""
    return kind + json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def read_words(frame: bytes) -> Any:
    """What `words_frame` made."""
    return json.loads(frame[1:])
