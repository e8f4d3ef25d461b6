"""Any bytes in any pieces: nothing corrupt goes through, counters add up, memory is bounded."""

from itertools import combinations_with_replacement
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_models.interface.wire.framing import DEVICE_HEARS, REQUEST, Decoder, make, parse
from tests.wire import claims

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.bin"))
NOISE = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([b">", b"<", b"~", b"!", b"*", b"\r\n", b"\n", b"\r", b" ", b"\x18", b">01 ", b"A" * 200]),
    st.builds(lambda number, body: make(REQUEST, number, body), st.integers(0, 255),
              st.sampled_from(["HI", "ST", "MV 0 -1000", "WD 100", "ZZ key=word nan", "SV 1 B=AAAA"])),
)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_what_the_fuzzer_found_worth_keeping_breaks_nothing(path):
    assert claims.broken(path.read_bytes()) == ""


def test_the_corpus_is_there_and_small():
    assert len(CORPUS) > 20 and sum(path.stat().st_size for path in CORPUS) < 100_000


@settings(max_examples=400, deadline=None)
@given(st.lists(NOISE, max_size=12), st.integers(1, 255), st.integers(0, 3))
def test_any_bytes_in_any_pieces_break_nothing(parts, step, kind):
    assert claims.broken(bytes((step, kind)) + b"".join(parts)) == ""


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["HI", "ST", "MV 0 -1000"]))
def test_a_good_line_after_a_line_end_goes_through_whatever_was_before(noise, body):
    decoder = Decoder(hears=DEVICE_HEARS)
    lines = list(decoder.feed(noise + b"\n" + make(REQUEST, 7, body)))
    assert (lines[-1].sequence, " ".join((lines[-1].verb, *lines[-1].args))) == (7, body)


def flipped(line: bytes, *places: int) -> bytes:
    """With these bits the other way round."""
    wrong = bytearray(line)
    for place in places:
        wrong[place // 8] ^= 1 << place % 8
    return bytes(wrong)


@pytest.mark.parametrize("body", ["HI", "MV 0 -1000"])
def test_any_one_or_two_wrong_bits_are_noticed(body):
    line = make(REQUEST, 1, body)[:-2]
    bits = range(8 * len(line))
    assert not [pair for pair in combinations_with_replacement(bits, 2) if parse(flipped(line, *{*pair})) is not None]


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(["HI", "MV 0 -1000", "MA 1 2 3 4 5 6"]), st.sets(st.integers(0, 10_000), min_size=3, max_size=3))
def test_three_wrong_bits_before_the_crc_are_noticed(body, places):
    line = make(REQUEST, 1, body)[:-2]
    assert parse(flipped(line, *{place % (8 * (len(line) - 5)) for place in places})) is None


@pytest.mark.parametrize("lie", ["took", "counted", "keeps"])
def test_a_receiver_that_lies_is_found_out(lie, monkeypatch):
    class Liar(Decoder):
        def feed(self, data):
            yield from list(Decoder.feed(self, data)) * (2 if lie == "took" else 1)
            self.counts.invalid += 1 if lie == "counted" else 0
            self._held += b"A" * 200 if lie == "keeps" else b""

    monkeypatch.setattr(claims, "Decoder", Liar)
    assert claims.broken(b"\xff\x00>01 HI*2CC2\r\n").startswith(lie)
