"""Two ends in memory."""

import asyncio

import pytest

from device_models.interface.stream import loopback_pair
from tests.stream.waiting import Heard


def test_bytes_are_there_at_once_in_order_both_ways():
    near, far = loopback_pair()
    assert near.write(b"a") and near.write(b"b") and far.write(b"c")
    assert far.read() == b"ab" and near.read(5.0) == b"c" and near.read(5.0) == b"" and near.fileno() == -1


def test_a_device_without_a_loop_answers_from_inside_the_write():
    near, far = loopback_pair()
    far.attach(None, lambda data: far.write(data.upper()), lambda why: None)
    near.write(b"hello")
    assert near.read() == b"HELLO"


def test_who_does_not_read_gets_whole_frames_and_the_rest_is_counted():
    near, far = loopback_pair(limit_bytes=10)
    assert [near.write(b"four") for _ in range(4)] == [True, True, False, False] and near.dropped == 2
    assert far.read() == b"fourfour" and near.write(b"four")


def test_what_was_written_before_the_end_is_still_read():
    near, far = loopback_pair("couch")
    near.write(b"last")
    near.close()
    near.close()
    assert not far.up and far.why == "couch (device): the other end closed" and not far.write(b"x")
    assert far.read() == b"last" and near.why == "couch: closed on this side"


@pytest.mark.asyncio
async def test_attached_to_a_loop_bytes_then_the_end_once():
    near, far = loopback_pair()
    heard = Heard()
    near.write(b"early ")
    far.attach(asyncio.get_running_loop(), heard.on_bytes, heard.on_down)
    near.write(b"late")
    assert heard.got == b""  # by the loop, not from inside the write
    near.close()
    for _ in range(3):
        await asyncio.sleep(0)
    assert heard.got == b"early late" and heard.down == [far.why]


def test_detached_bytes_wait():
    near, far = loopback_pair()
    heard = Heard()
    far.attach(None, heard.on_bytes, heard.on_down)
    far.detach()
    near.write(b"x")
    assert heard.got == b"" and far.read() == b"x"
