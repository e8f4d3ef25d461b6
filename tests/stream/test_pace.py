"""Bytes take the time of a serial line."""

import asyncio

import pytest

from device_models.interface.stream import loopback_pair, pty_pair
from device_models.interface.stream.pace import FULL_BYTES, PacedStream
from tests.stream.test_faults import Time
from tests.stream.waiting import Heard, until


def paced(baud: int = 1000, limit_bytes: int = 16384):
    """(time, device's end with the pace, host's end without): 1000 baud are 100 bytes a second."""
    time = Time()
    near, far = loopback_pair(limit_bytes=10**6)
    return time, PacedStream(far, lambda: baud, time, limit_bytes), near


def test_a_frame_arrives_byte_by_byte_ten_bits_each():
    time, device, host = paced()
    device.write(b"0123456789")
    came = []
    for time.now_s in (0.0, 0.009, 0.010, 0.055, 0.1, 5.0):
        device.read()
        came.append(host.read())
    assert came == [b"", b"", b"0", b"1234", b"56789", b""]


def test_frames_queue_behind_each_other_and_an_idle_line_saves_no_time_up():
    time, device, host = paced()
    time.now_s = 7.0
    device.write(b"abcde")
    device.write(b"fghij")
    time.now_s = 7.0751
    device.read()
    assert host.read() == b"abcdefg"


def test_the_other_way_takes_its_time_too():
    time, device, host = paced()
    host.write(b"hello")
    first = device.read()
    time.now_s = 0.03
    second = device.read()
    time.now_s = 1.0
    assert (first, second, device.read()) == (b"", b"hel", b"lo")


def test_no_rate_no_pace():
    _, device, host = paced(baud=0)
    device.write(b"at once")
    assert host.read() == b"at once"


def test_more_than_the_line_carries_is_refused_as_whole_frames_and_counted():
    time, device, host = paced(limit_bytes=10)
    assert [device.write(b"four") for _ in range(4)] == [True, True, False, False] and device.dropped == 2
    time.now_s = 1.0
    device.read()
    assert host.read() == b"fourfour"


@pytest.mark.asyncio
async def test_with_a_loop_and_a_pty_all_bytes_come_in_order_then_the_end():
    host, far = pty_pair()
    loop, heard, at_host = asyncio.get_running_loop(), Heard(), Heard()
    device = PacedStream(far, lambda: 921600, loop.time)
    device.attach(loop, heard.on_bytes, heard.on_down)
    host.attach(loop, at_host.on_bytes, at_host.on_down)
    message = bytes(range(256)) * 8
    host.write(message)
    device.write(message)
    await until(lambda: heard.got == message and at_host.got == message, "both messages")
    host.write(b"bye")
    host.close()
    await until(lambda: heard.down, "the end")
    assert heard.got == message + b"bye" and len(heard.down) == 1
    device.close()


@pytest.mark.asyncio
async def test_a_host_faster_than_the_line_is_held_up_and_loses_nothing():
    host, far = loopback_pair(limit_bytes=10**6)
    loop, heard = asyncio.get_running_loop(), Heard()
    device = PacedStream(far, lambda: 10_000_000, loop.time)
    device.attach(loop, heard.on_bytes, heard.on_down)
    message = b"x" * (FULL_BYTES * 5)
    for begin in range(0, len(message), FULL_BYTES):
        host.write(message[begin : begin + FULL_BYTES])
        await asyncio.sleep(0)
    await until(lambda: len(heard.got) == len(message), "all of it")
    device.close()
