"""A line on which things go wrong: each kind, both ways, counted, repeatable."""

import asyncio

import pytest

from device_models.interface.stream import FdStream, loopback_pair, pty_pair
from device_models.interface.stream.fault import KINDS, LinkFault
from device_models.interface.stream.faults import DisturbedStream
from tests.stream.waiting import Heard, read_all, until

LINES = [b"line %02d\r\n" % i for i in range(40)]


class Time:
    """Seconds, set by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def line(seed: int = 1, now_s=None):
    """(host's end with faults, device's end without)."""
    near, far = loopback_pair()
    return DisturbedStream(near, seed, "couch", **({"now_s": now_s} if now_s else {})), far


def sent(*faults: LinkFault, seed: int = 1, lines=LINES):
    """What the device gets of these lines, and how often each fault acted."""
    near, far = line(seed)
    for fault in faults:
        near.set(fault)
    for each in lines:
        near.write(each)
    return far.read(), [near.acted[fault] for fault in faults]


def replied(*faults: LinkFault, seed: int = 1):
    """What the host gets of these lines."""
    near, far = line(seed)
    for fault in faults:
        near.set(fault)
    for each in LINES:
        far.write(each)
    return near.read(), [near.acted[fault] for fault in faults]


def lines_of(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def test_without_a_fault_all_goes_through_at_once_also_what_is_no_line():
    near, far = line()
    near.write(b"abc")
    far.write(b"\x18<00")
    assert far.read() == b"abc" and near.read() == b"\x18<00"


@pytest.mark.parametrize("towards", [sent, replied])
def test_loss_takes_whole_frames_at_about_its_chance(towards):
    way = "to_device" if towards is sent else "to_host"
    got, [acted] = towards(LinkFault("loss", way, chance=0.3))
    assert 4 <= acted <= 22 and len(lines_of(got)) == 40 - acted and set(lines_of(got)) < set(LINES)


def test_the_same_seed_hits_the_same_frames_another_seed_others():
    fault = LinkFault("loss", chance=0.5)
    assert sent(fault, seed=3) == sent(fault, seed=3) != sent(fault, seed=4)


def test_who_else_is_hit_changes_nothing_for_a_frame():
    alone, _ = sent(LinkFault("loss", chance=0.5))
    with_other, _ = sent(LinkFault("loss", chance=0.5), LinkFault("loss", "to_host"))
    assert alone == with_other


def test_corruption_turns_over_bits_and_nothing_else():
    got, [acted] = sent(LinkFault("corruption", bits=1, first=7, times=1))
    turned = [bin(a ^ b).count("1") for a, b in zip(got, b"".join(LINES), strict=True)]
    assert acted == 1 and sum(turned) == 1 and got[:63] == b"".join(LINES[:7])


def test_duplication_gives_it_twice():
    got, [acted] = sent(LinkFault("duplication", first=2, times=1))
    assert acted == 1 and lines_of(got) == LINES[:3] + LINES[2:]


def test_reordering_lets_later_ones_pass():
    got, [acted] = sent(LinkFault("reordering", first=2, times=1, frames=2))
    assert acted == 1 and lines_of(got) == [*LINES[:2], LINES[3], LINES[4], LINES[2], *LINES[5:]]


def test_a_late_reply_comes_after_the_next_ones_and_an_unanswered_request_was_heard():
    late, _ = replied(LinkFault("late_reply", first=1, times=1, frames=1))
    assert lines_of(late)[:3] == [LINES[0], LINES[2], LINES[1]]
    near, far = line()
    near.set(fault := LinkFault("unanswered", times=1))
    far.attach(None, lambda data: far.write(b"<" + data[1:]), lambda why: None)
    near.write(b">01 SV\n")
    near.write(b">02 SV\n")
    assert near.read() == b"<02 SV\n" and near.acted[fault] == 1


def test_replay_brings_an_old_frame_again():
    got, [acted] = sent(LinkFault("replay", first=5, times=1, frames=3))
    assert acted == 1 and lines_of(got) == [*LINES[:6], LINES[2], *LINES[6:]]


def test_a_delay_in_seconds_keeps_order_and_needs_a_clock():
    time = Time()
    near, far = line(now_s=time)
    near.set(LinkFault("delay", delay_s=0.1))
    near.write(LINES[0])
    time.now_s = 0.05
    near.write(LINES[1])
    time.now_s = 0.12
    near.read()  # whoever reads lets time act
    first = far.read()
    time.now_s = 0.16
    near.read()
    assert (first, far.read()) == (LINES[0], LINES[1])
    with pytest.raises(ValueError, match=r"delay of couch: 0\.1 s need a clock, and this line has none"):
        line()[0].set(LinkFault("delay", delay_s=0.1))


def test_a_delayed_reply_is_waited_for_by_read():
    time = Time()
    near, far = line(now_s=time)
    near.set(LinkFault("late_reply", delay_s=0.1))
    far.write(LINES[0])
    assert near.read(1.0) == b""
    time.now_s = 0.1
    assert near.read() == LINES[0]


def test_a_hanging_peer_takes_a_buffer_full_of_whole_frames_and_gets_them_when_it_wakes():
    near, far = line()
    near.limit_bytes = 20
    near.set(hang := LinkFault("hang", first=1))
    took = [near.write(each) for each in LINES[:5]]
    far.write(b"<unheard\n")
    assert took == [True, True, True, False, False] and near.dropped == 2 and far.read() == LINES[0] and near.read() == b""
    near.clear(hang)
    assert far.read() == LINES[1] + LINES[2] and near.read() == b"<unheard\n" and near.acted[hang] == 4


def test_a_hang_that_is_over_by_itself_keeps_the_order():
    got, _ = sent(LinkFault("hang", first=1, times=2))
    assert lines_of(got) == LINES


def test_a_disconnect_is_a_hang_up_for_both_sides():
    near, far = line()
    near.set(LinkFault("disconnect", first=2))
    took = [near.write(each) for each in LINES[:4]]
    assert took == [True, True, False, False] and not near.up and near.why == "couch: disconnected by a fault"
    assert far.read() == LINES[0] + LINES[1] and not far.up


def test_a_wrong_rate_leaves_nothing_readable():
    got, [acted] = sent(LinkFault("wrong_baud", sent_baud=115200, read_baud=57600))
    assert acted == 40 and got and not any(each in got for each in LINES)


def test_a_cleared_fault_no_longer_acts_and_its_count_stays():
    near, far = line()
    near.set(fault := LinkFault("loss"))
    near.write(LINES[0])
    near.clear(fault)
    near.write(LINES[1])
    assert far.read() == LINES[1] and near.acted[fault] == 1 and near.faults == ()


def test_a_frame_begun_before_the_fault_stays_whole():
    near, far = line()
    far.write(b"half")
    assert near.read() == b"half"
    near.set(LinkFault("loss", "to_host"))
    far.write(b" line\nnext\n")
    assert near.read() == b" line\n"


def test_how_bytes_are_cut_into_pieces_changes_no_fate():
    whole, _ = replied(LinkFault("corruption", "to_host", chance=0.4))
    near, far = line()
    near.set(LinkFault("corruption", "to_host", chance=0.4))
    got = b""
    for byte in b"".join(LINES):
        far.write(bytes((byte,)))
        got += near.read()
    assert got == whole


def test_at_the_devices_end_the_same_ways_mean_the_same():
    near, far = loopback_pair()
    device = DisturbedStream(far, 1, "couch", at="device")
    device.set(lost := LinkFault("loss", "to_device", first=1))
    device.set(silent := LinkFault("unanswered", times=1))
    for each in LINES[:3]:
        near.write(each)
    assert device.read() == LINES[0]
    device.write(b"<one\n")
    device.write(b"<two\n")
    assert near.read() == b"<two\n" and (device.acted[lost], device.acted[silent]) == (2, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_acts_and_is_counted(kind):
    near, far = line()
    near.set(fault := LinkFault(kind))
    near.write(LINES[0])
    far.write(LINES[1])
    got = far.read(), near.read()
    assert near.acted[fault] >= 1 and (kind == "replay" or got != (LINES[0], LINES[1]))


@pytest.mark.parametrize("wrong", [{"kind": "los"}, {"kind": "loss", "way": "up"}, {"kind": "loss", "chance": 1.5},
                                   {"kind": "corruption", "bits": 0}, {"kind": "delay", "frames": 0},
                                   {"kind": "loss", "chance": float("nan")}])
def test_a_fault_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="link fault"):
        LinkFault(**wrong)


@pytest.mark.asyncio
async def test_over_a_real_pty_with_a_loop_delays_arrive_and_a_disconnect_is_told_once():
    ours, theirs = pty_pair("couch")
    loop, heard = asyncio.get_running_loop(), Heard()
    near = DisturbedStream(ours, 1, "couch", now_s=loop.time)
    near.attach(loop, heard.on_bytes, heard.on_down)
    near.set(slow := LinkFault("late_reply", delay_s=0.02))
    theirs.write(b"<01\n")
    await until(lambda: heard.got, "the late reply")
    assert heard.got == b"<01\n" and near.acted[slow] == 1
    near.set(LinkFault("disconnect"))
    assert not near.write(b">02\n")
    await until(lambda: heard.down, "the hang-up")
    assert heard.down == ["couch: disconnected by a fault"] and isinstance(theirs, FdStream)
    assert read_all(theirs, 1) == b"" and not theirs.up
    near.close()
