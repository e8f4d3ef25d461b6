"""FdStream over ptys and sockets: whole frames or nothing, a hang-up told once, never a wait that nobody asked for."""

import asyncio
import os
import socket

import pytest

from device_models.interface.stream import FdStream, pty_pair
from tests.stream.waiting import Heard, read_all, until

FRAME = b"x" * 250 + b"\n"


def socket_streams() -> tuple[FdStream, FdStream]:
    one, other = socket.socketpair()
    return FdStream(one.detach(), "near"), FdStream(other.detach(), "far")


@pytest.fixture(params=["pty", "socket"])
def pair(request):
    ends = pty_pair("line") if request.param == "pty" else socket_streams()
    yield ends
    for end in ends:
        end.close()


def stall(stream: FdStream, frames: int = 4000) -> int:
    """Write to somebody who does not read; how many were taken."""
    return sum(stream.write(FRAME) for _ in range(frames))


def test_bytes_go_both_ways_as_they_are(pair):
    every = bytes(range(256))
    for a, b in (pair, pair[::-1]):
        assert a.write(every)
        assert read_all(b, 256) == every


def test_nothing_there_is_nothing_and_no_hang_up(pair):
    assert pair[0].read() == b"" and pair[0].read(0.01) == b"" and pair[0].up and pair[0].why == ""


def test_a_stalled_reader_costs_whole_frames_and_never_blocks(pair):
    a, b = pair
    taken = stall(a)
    assert 0 < taken < 4000 and a.dropped == 4000 - taken and a.waiting_bytes <= a.limit_bytes
    got = b""
    while data := (b.read(0.2), a.read())[0]:  # the reader wakes up; the writer's read() pushes on what waits
        got += data
    assert got == FRAME * taken


def test_after_a_stall_frames_are_taken_again(pair):
    a, b = pair
    taken = stall(a)
    while b.read(0.2):
        a.read()
    assert a.write(b"again\n") and read_all(b, 6) == b"again\n" and a.dropped == 4000 - taken


def test_a_frame_larger_than_the_buffer_is_refused_whole(pair):
    a, b = pair
    assert not a.write(b"y" * (a.limit_bytes + 1)) and a.dropped == 1
    assert a.write(b"z\n") and read_all(b, 2) == b"z\n"


def test_what_was_sent_before_the_hang_up_is_read_first():
    a, b = socket_streams()
    a.write(b"last words")
    a.close()
    assert read_all(b, 100) == b"last words"
    assert not b.up and b.why == "far: the other end closed"


def test_the_device_behind_a_pty_reads_what_a_client_sent_before_it_left():
    client, device = pty_pair("couch")
    client.write(b"last words\n")
    client.close()
    assert read_all(device, 100) == b"last words\n"
    assert not device.up and "couch (device): the other end closed" in device.why
    device.close()


@pytest.mark.parametrize("closer", [0, 1])
def test_a_hang_up_ends_a_waiting_read_and_later_calls_do_nothing(pair, closer):
    gone, left = pair[closer], pair[1 - closer]
    gone.close()
    assert read_all(left, 1) == b"" and not left.up and "closed" in left.why
    assert left.read(5.0) == b"" and not left.write(FRAME) and left.fileno() == -1
    left.close()
    assert "other end" in left.why  # closing afterwards does not rewrite history


def test_a_write_to_somebody_who_left_is_a_hang_up_and_his_last_words_are_kept():
    a, b = socket_streams()
    a.write(b"last words")
    a.close()
    assert not b.write(FRAME) and not b.up
    assert b.read() == b"last words" and b.read() == b""


def test_closing_is_no_hang_up_and_may_be_repeated(pair):
    pair[0].close()
    pair[0].close()
    assert pair[0].why.endswith("closed on this side") and pair[0].closed_here and not pair[0].write(b"x")


def test_the_descriptor_is_closed_at_the_hang_up(pair):
    fd = pair[1].fileno()
    pair[0].close()
    read_all(pair[1], 1)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


@pytest.mark.asyncio
async def test_attached_bytes_then_the_hang_up_once(pair):
    heard, (device, client) = Heard(), pair[::-1]
    device.attach(asyncio.get_running_loop(), heard.on_bytes, heard.on_down)
    client.write(b"one")
    client.close()
    await until(lambda: heard.down, "told of the hang-up")
    await asyncio.sleep(0.02)
    assert heard.got == b"one" and heard.down == [device.why] and not device.up


@pytest.mark.asyncio
async def test_attaching_to_what_is_down_already_tells_it(pair):
    pair[0].close()
    read_all(pair[1], 1)
    heard = Heard()
    pair[1].attach(asyncio.get_running_loop(), heard.on_bytes, heard.on_down)
    await until(lambda: heard.down, "told of the earlier hang-up")


@pytest.mark.asyncio
async def test_attached_what_waits_goes_out_by_itself_when_the_reader_wakes_up(pair):
    a, b = pair
    near, far = Heard(), Heard()
    a.attach(asyncio.get_running_loop(), near.on_bytes, near.on_down)
    taken = stall(a)
    b.attach(asyncio.get_running_loop(), far.on_bytes, far.on_down)
    await until(lambda: len(far.got) >= taken * len(FRAME), "all taken frames")
    assert far.got == FRAME * taken and a.waiting_bytes == 0


@pytest.mark.asyncio
async def test_a_hang_up_noticed_by_a_write_is_told_by_the_loop_with_the_last_words():
    a, b = socket_streams()
    heard = Heard()
    a.write(b"last words")
    a.close()
    b.attach(asyncio.get_running_loop(), heard.on_bytes, heard.on_down)
    b.write(FRAME)
    assert not heard.down  # not out of the middle of write()
    await until(lambda: heard.down, "told")
    assert heard.got == b"last words" and len(heard.down) == 1


@pytest.mark.asyncio
async def test_detached_nobody_is_called_and_read_works_again(pair):
    a, b = pair
    heard = Heard()
    b.attach(asyncio.get_running_loop(), heard.on_bytes, heard.on_down)
    b.detach()
    a.write(b"later")
    await asyncio.sleep(0.02)
    assert heard.got == b"" and read_all(b, 5) == b"later"


@pytest.mark.asyncio
async def test_closed_by_a_callback_in_the_middle_of_everything(pair):
    a, b = pair
    heard = Heard()
    b.attach(asyncio.get_running_loop(), lambda data: b.close(), heard.on_down)
    a.write(b"go away")
    await until(lambda: not b.up, "closed by its own callback")
    await asyncio.sleep(0.02)
    assert not heard.down and b.closed_here
