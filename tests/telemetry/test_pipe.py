"""The way out of the control process, against a real socket: it never waits, never raises, and counts what it drops."""

import os
import socket

import pytest

from linac_ctl.telemetry.pipe import KEPT_NUMBERS, KEPT_WORDS, Pipe, new_pipe


@pytest.fixture
def ends():
    pipe, theirs = new_pipe()
    yield pipe, theirs
    pipe.close()
    theirs.close()


def read(theirs: socket.socket) -> list[bytes]:
    """All that is there."""
    theirs.setblocking(False)
    found = []
    while True:
        try:
            found.append(theirs.recv(1 << 17))
        except BlockingIOError:
            return found


def test_frames_come_out_whole_and_in_order(ends):
    pipe, theirs = ends
    frames = [bytes([i]) * (i + 1) * 100 for i in range(20)]
    for frame in frames:
        pipe.put_numbers(frame)
    assert read(theirs) == frames and pipe.lost_numbers == 0


def test_the_socket_itself_refuses_to_wait(ends):
    assert not ends[0].socket.getblocking()


def test_a_reader_that_does_not_read_costs_the_oldest_snapshots_and_nothing_else(ends):
    pipe, theirs = ends
    for i in range(5000):
        pipe.put_numbers(b"N%04d" % i + bytes(2000))
    assert len(pipe.numbers) == KEPT_NUMBERS and pipe.lost_numbers > 4000
    got = read(theirs)
    while pipe.numbers:
        pipe.put_numbers(b"N9999" + bytes(2000))
        got += read(theirs)
    numbers = [int(frame[1:5]) for frame in got]
    assert numbers == sorted(numbers) and set(range(5000 - KEPT_NUMBERS + 1, 5000)) <= {*numbers}
    assert len([n for n in numbers if n != 9999]) + pipe.lost_numbers == 5000


def test_words_wait_longer_than_snapshots_and_overtake_them(ends):
    pipe, theirs = ends
    while not pipe.numbers:
        pipe.put_numbers(b"N" + bytes(2000))
    for i in range(1000):
        pipe.put_words(b"E%04d" % i)
    got = read(theirs)
    while pipe.words or pipe.numbers:
        pipe.put_numbers(b"N")
        got += read(theirs)
    assert [int(frame[1:]) for frame in got if frame[:1] == b"E"] == list(range(1000)) and pipe.lost_words == 0


def test_even_words_have_a_limit_and_what_is_over_it_is_counted(ends):
    pipe, _ = ends
    for _ in range(KEPT_WORDS + 5000):
        pipe.put_words(b"E" + bytes(500))
    assert len(pipe.words) == KEPT_WORDS and pipe.lost_words > 0


def test_a_frame_that_can_never_go_through_is_counted_and_blocks_nobody(ends):
    pipe, theirs = ends
    pipe.put_words(b"E" + bytes(1 << 22))
    pipe.put_words(b"Enext")
    assert read(theirs) == [b"Enext"] and pipe.lost_words == 1 and not pipe.down


def test_a_dead_reader_is_noted_once_and_everything_after_is_counted(ends):
    pipe, theirs = ends
    pipe.put_numbers(b"N")
    theirs.close()
    for _ in range(10):
        pipe.put_numbers(b"N")
        pipe.put_words(b"E")
    assert "publisher is gone" in pipe.down and pipe.lost_numbers + pipe.lost_words == 20
    assert not pipe.numbers and not pipe.words


def test_a_closed_socket_does_not_raise_either():
    pipe, theirs = new_pipe()
    theirs.close()
    os.close(os.dup(pipe.socket.fileno()))
    pipe.close()
    pipe.put_words(b"E")
    assert isinstance(pipe, Pipe) and pipe.lost_words == 1
