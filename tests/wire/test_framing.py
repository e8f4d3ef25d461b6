"""Lines of the wire protocol: what is valid, what is dropped, and what is counted."""

import pytest

from device_models.interface.wire.framing import DEVICE_HEARS, REQUEST, Decoder, crc, integer, make, parse


def heard(*pieces, **kw):
    """-> (decoder, lines) after hearing these pieces as a device does."""
    decoder = Decoder(hears=DEVICE_HEARS, **kw)
    return decoder, [line for piece in pieces for line in decoder.feed(piece)]


def test_the_check_value_of_the_page_is_ours():
    assert make(REQUEST, 1, "HI") == b">01 HI*2CC2\r\n"


def test_a_line_comes_out_as_it_went_in_however_it_is_cut():
    whole = make(REQUEST, 255, "MA 1000 -2000 nan key=word")
    for cut in range(len(whole) + 1):
        _, lines = heard(whole[:cut], whole[cut:])
        assert [(line.sequence, line.verb, line.args) for line in lines] == [(255, "MA", ("1000", "-2000", "nan", "key=word"))]


@pytest.mark.parametrize("raw", [
    b">01 HI*2CC3", b">01 HI*2cc2", b">01 HI*+A7F", b">1 HI*2CC2", b">01  HI*2CC2", b"<01 HI*2CC2", b">01 HI", b">01 hi*2CC2",
    b">01 HI *2CC2", b">01 HI*2CC2 ", b">01 HI*2CC\xb2", b"HI",
])
def test_anything_wrong_is_dropped_counted_and_not_answered(raw):
    decoder, lines = heard(raw + b"\r\n")
    assert lines == [] and decoder.counts.invalid == 1 and decoder.counts.good == 0


@pytest.mark.parametrize("body", ["HI ", "HI  1", "HI é", "HI a*b", "HI >", "H", "HIX"])
def test_a_right_crc_does_not_make_a_wrong_line_right(body):
    head = b">01 " + body.encode("latin-1")
    assert parse(head + b"*" + crc(head)) is None


def test_a_start_character_begins_anew_in_the_middle_of_a_line():
    decoder, lines = heard(b">01 MV 0 10", make(REQUEST, 2, "ST"))
    assert [line.verb for line in lines] == ["ST"] and decoder.counts.invalid == 1


def test_a_line_of_the_greatest_length_is_taken_and_one_more_character_is_not():
    for extra, good in ((0, 1), (1, 0)):
        body = "MA " + "1" * 10
        body += " 7" * ((60 - len(make(REQUEST, 1, body)) + 2) // 2)
        line = make(REQUEST, 1, body)
        decoder, lines = heard(line, maxline=len(line) - 2 - extra)
        assert len(lines) == good and decoder.counts.invalid == 1 - good


def test_what_is_never_ended_is_not_kept():
    decoder, _ = heard(*[b">01 " + b"A" * 1000] * 50)
    assert len(decoder._held) == decoder.maxline + 1


def test_typed_lines_are_taken_until_the_first_valid_one_with_a_crc():
    decoder, lines = heard(b"HI\rMV 0 1000\n>01 HI*0000\r\n", make(REQUEST, 1, "HI"), b"HI\r", plain=True)
    assert [(line.verb, line.plain) for line in lines] == [("HI", True), ("MV", True), ("HI", False)]
    assert decoder.counts.invalid == 2 and not decoder.plain


@pytest.mark.parametrize("text, value", [
    ("0", 0), ("-5", -5), ("2147483647", 2**31 - 1), ("2147483648", None), ("12345678901", None), ("+5", None), ("--1", None),
    (" 5", None), ("1_0", None), ("", None), ("-", None), ("0x1", None), ("٣", None),
])
def test_numbers_are_digits_and_a_minus_and_nothing_else(text, value):
    assert integer(text) == value
