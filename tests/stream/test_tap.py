"""What went over a line, in a file."""

import asyncio
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_models.interface.stream import loopback_pair
from device_models.interface.stream.tap import HEADER, TapFile, Tapped, TappedStream, escaped, read_taps, row, unescaped
from tests.stream.waiting import Heard

portions = st.builds(Tapped, st.integers(0, 10**15), st.none() | st.integers(0, 10**9), st.booleans(), st.binary(min_size=1))


@given(st.binary())
def test_bytes_come_back_and_are_printable_in_between(data):
    assert unescaped(escaped(data)) == data and all(" " <= c <= "~" for c in escaped(data))


@given(st.lists(portions))
def test_a_file_reads_back_as_what_was_noted(noted):
    file = io.StringIO()
    tap = TapFile(file)
    for portion in noted:
        tap.note(portion)
    tap.flush()
    assert list(read_taps(io.StringIO(file.getvalue()))) == noted


def test_a_row_is_what_the_page_says():
    assert row(Tapped(12345, 17, True, b">01 HI*2CC2\r\n")) == r"12345 17 > >01 HI*2CC2\r\n"
    assert row(Tapped(5, None, False, b"\x18\\")) == r"5 - < \x18\\"


def test_both_directions_with_time_and_cycle_at_either_end():
    for at_device in (False, True):
        near, far = loopback_pair()
        noted, clock = [], iter(range(100, 200))
        tapped = TappedStream(far if at_device else near, noted.append, lambda clock=clock: next(clock), lambda: 7, at_device)
        other = near if at_device else far
        tapped.write(b"out")
        other.write(b"in")
        assert tapped.read() == b"in" and tapped.read() == b"" and other.read() == b"out"
        assert noted == [Tapped(100, 7, not at_device, b"out"), Tapped(101, 7, at_device, b"in")]


def test_a_refused_frame_was_never_on_the_line():
    near, _ = loopback_pair(limit_bytes=2)
    noted = []
    assert not TappedStream(near, noted.append, lambda: 0).write(b"too long") and noted == []


@pytest.mark.asyncio
async def test_with_a_loop_bytes_are_noted_before_they_are_used():
    near, far = loopback_pair()
    noted, seen, heard = [], [], Heard()
    tapped = TappedStream(near, noted.append, lambda: 0)
    tapped.attach(asyncio.get_running_loop(), lambda data: (seen.append(len(noted)), heard.on_bytes(data)), heard.on_down)
    far.write(b"hello")
    await asyncio.sleep(0)
    assert heard.got == b"hello" and seen == [1]


def test_a_full_buffer_loses_counts_and_says_where_and_nothing_touches_the_file_before_the_flush():
    file = io.StringIO()
    tap = TapFile(file, limit_bytes=10)
    before = file.getvalue()
    for _ in range(4):
        tap.note(Tapped(0, None, True, b"four"))
    assert file.getvalue() == before == HEADER + "\n" and tap.lost_bytes == 8
    tap.flush()
    tap.note(Tapped(9, None, True, b"again"))
    tap.flush()
    assert file.getvalue().splitlines()[-2:] == ["# 8 bytes are missing here: the buffer was full", "9 - > again"]
    assert len(list(read_taps(io.StringIO(file.getvalue())))) == 3


def test_an_unfinished_last_row_is_left_out_and_any_other_damage_is_named():
    assert list(read_taps([HEADER + "\n", "5 - > a\n", "6 - > b"])) == [Tapped(5, None, True, b"a")]
    for damaged in ("5 - = a\n", "x - > a\n", "5 - > \\q\n"):
        with pytest.raises(ValueError, match=r"line 2 is no row|not an escape"):
            list(read_taps([HEADER + "\n", damaged]))
