"""Recordings read back as the same bytes; what is no tap is refused by line; raw bytes get their directions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_models.interface.stream.tap import HEADER, Tapped, row
from linac_ctl.errors import RecordError
from linac_ctl.hil.client import Piece
from linac_ctl.hil.tape import pieces

PIECES = st.builds(Piece, st.integers(-(10**17), 10**17), st.booleans(), st.binary(max_size=60))


@given(st.lists(PIECES, max_size=8))
def test_a_tap_reads_back_as_it_was_written(written):
    text = "\n".join((HEADER, *(row(Tapped(piece.t_us, None, piece.sent, piece.data)) for piece in written), ""))
    assert pieces(text.encode("ascii"), "x.tap") == written


@pytest.mark.parametrize("line", ["12 - > \\q", "12 - = HI", "x - > HI", "12 > HI"])
def test_a_line_that_is_none_is_named(line):
    with pytest.raises(RecordError, match=r"x\.tap: "):
        pieces(f"{HEADER}\n{line}\n".encode(), "x.tap")


@given(st.binary())
def test_any_bytes_are_read_as_raw_and_none_are_lost(data):
    assert b"".join(piece.data for piece in pieces(b"?" + data, "x")) == b"?" + data


def test_raw_bytes_get_their_direction_from_their_start_character():
    raw = b">01 HI*2CC2\r\n<01 OK 1*2AFA\r\n\x18>02 ST*AB0B\r\nhello\r\n~00 ST 1 1 0*AB66\r\n"
    assert [piece.sent for piece in pieces(raw, "x")] == [True, False, True, False, False]
