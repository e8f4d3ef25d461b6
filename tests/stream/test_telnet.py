"""Telnet framing through any pieces: escaping, options, sub-negotiations, and junk that never ends."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from device_models.interface.stream.telnet import (
    COM_PORT,
    DO,
    LONGEST_SUB,
    WILL,
    Option,
    Sub,
    Telnet,
    escape,
    option,
    sub,
)

ITEM = st.one_of(
    st.binary(max_size=40),
    st.builds(Option, st.sampled_from([WILL, DO]), st.integers(0, 255)),
    st.builds(Sub, st.integers(0, 254), st.binary(max_size=40)),
)
EDGY = st.lists(st.sampled_from([255, 250, 240, 251, 253, 44, 0, 13, 65]), max_size=300).map(bytes)


def wire(item) -> bytes:
    if isinstance(item, Option):
        return option(*item)
    return sub(*item) if isinstance(item, Sub) else escape(item)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    at = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(at)]


def joined(items) -> list:
    """Neighbouring data as one: where it is cut means nothing."""
    out: list = []
    for item in items:
        if isinstance(item, bytes) and out and isinstance(out[-1], bytes):
            out[-1] += item
        elif item != b"":
            out.append(item)
    return out


@given(st.lists(ITEM), st.lists(st.integers(0, 10_000), max_size=8))
def test_whatever_is_sent_arrives_as_it_was_through_any_pieces(items, cuts):
    telnet = Telnet()
    got = [item for piece in pieces(b"".join(map(wire, items)), cuts) for item in telnet.feed(piece)]
    assert joined(got) == joined(items)


@given(EDGY, st.lists(st.integers(0, 10_000), max_size=8))
def test_junk_means_the_same_in_any_pieces_and_never_raises(data, cuts):
    whole, cut = Telnet(), Telnet()
    got = [item for piece in pieces(data, cuts) for item in cut.feed(piece)]
    assert joined(got) == joined(whole.feed(data))


@given(st.binary(max_size=300))
def test_data_survives_escaping(data):
    assert b"".join(Telnet().feed(escape(data))) == data


@given(st.lists(st.sampled_from([b"\xff\xff", b"a", b"\xff"]), min_size=1, max_size=4000), st.integers(1, 50))
def test_an_endless_negotiation_stays_small_and_data_after_it_is_heard(chunks, size):
    telnet = Telnet()
    junk = bytes((255, 250, COM_PORT)) + b"x" * (2 * LONGEST_SUB) + b"".join(c for c in chunks if c != b"\xff")
    for at in range(0, len(junk), size):
        assert list(telnet.feed(junk[at : at + size])) == []
        assert len(telnet._rest) < 3 * LONGEST_SUB
    assert list(telnet.feed(bytes((255, 240)) + b"data")) == [b"data"]
