"""Bytes read at another rate than they were sent with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_models.interface.stream import loopback_pair
from device_models.interface.stream.uart import RateStream, as_read_at


@given(st.binary(max_size=200), st.sampled_from([9600, 115200, 921600]), st.integers(-20, 20))
def test_within_two_per_cent_every_byte_is_read_right(data, baud, permille):
    assert as_read_at(data, baud, baud + baud * permille // 1000) == data


@pytest.mark.parametrize("sent, read, data, seen", [
    (9600, 19200, b"U", b"\x66\xe6"),  # every bit is seen twice: 0 11 00 11 00, a framing error, then 0 11 00 11 and idle
    (57600, 115200, b"\x00", b"\x00"),  # 18 low bits: one byte, and the line has to go high before the next
    (115200, 60000, b"\xff", b"\xff"),  # a start bit that is little more than half as long is still there in its middle
    (115200, 9600, b"\xff", b""),  # and one that is a twelfth as long is a spike
])
def test_what_a_receiver_at_the_wrong_rate_sees(sent, read, data, seen):
    assert as_read_at(data, sent, read) == seen


@given(st.binary(min_size=1, max_size=100), st.integers(50, 1_000_000), st.integers(50, 1_000_000))
def test_it_ends_and_a_slower_receiver_makes_no_more_bytes(data, sent, read):
    seen = as_read_at(data, sent, read)
    assert len(seen) <= max(1, -(-len(data) * read // sent) + 1)


def test_both_ways_are_garbled_until_the_rates_agree():
    near, far = loopback_pair()
    rate = {"host": 9600, "device": 115200}
    device = RateStream(far, lambda: rate["device"], lambda: rate["host"])
    near.write(b">01 HI\r\n")
    device.write(b"<01 OK\r\n")
    assert device.read() != b">01 HI\r\n" and near.read() != b"<01 OK\r\n" and device.garbled == 2
    rate["host"] = 115200
    near.write(b">01 HI\r\n")
    assert device.read() == b">01 HI\r\n" and device.garbled == 2


def test_a_client_that_sets_no_rate_is_understood():
    near, far = loopback_pair()
    near.write(b"x")
    assert RateStream(far, lambda: 115200, lambda: 0).read() == b"x"
