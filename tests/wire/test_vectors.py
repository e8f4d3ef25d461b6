"""The published vectors hold for our own receiver, and the file itself is sound."""

from collections import Counter

import pytest

from device_models.interface.wire.framing import DEVICE_HEARS, HOST_HEARS, Decoder
from linac_ctl.hil.vectors import Vector, disagreement, matches, unescaped, vector, vectors

ALL = vectors()


def receiver(of: Vector) -> Decoder:
    return Decoder(hears=HOST_HEARS if of.section == "host" else DEVICE_HEARS, plain=of.section == "typed")


def counted(of: Vector, pieces: list[bytes]) -> tuple[int, int]:
    """Lines that went through, and lines that did not."""
    decoder = receiver(of)
    lines = [line for piece in pieces for line in decoder.feed(piece)]
    assert len(lines) == decoder.counts.good
    return decoder.counts.good, decoder.counts.invalid


def test_there_are_at_least_twenty_of_each_and_every_name_is_used_once():
    sections = Counter(each.section for each in ALL)
    assert all(sections[name] >= 20 for name in ("valid", "invalid", "adversarial"))
    assert len({each.name for each in ALL}) == len(ALL)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_our_receiver_takes_and_counts_what_the_vector_says(one):
    assert counted(one, [one.without_stops]) == (one.good, one.invalid)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_a_vector_means_the_same_byte_by_byte(one):
    data = one.without_stops
    assert counted(one, [data[i : i + 1] for i in range(len(data))]) == (one.good, one.invalid)


def test_an_invalid_vector_has_no_good_line_and_no_answer():
    assert all(one.good == 0 and one.invalid and not one.answers for one in vectors("invalid"))


def test_stop_bytes_are_counted_in_the_file_as_they_stand_in_the_data():
    assert all(one.data.count(0x18) == one.stops for one in ALL)


def test_escapes_are_bytes():
    assert unescaped(r"a\x00\xFF\r\n\t\\{3*A}{2*\x18}") == b"a\x00\xff\r\n\t\\AAA\x18\x18"


def test_a_line_that_is_no_vector_is_refused():
    with pytest.raises(ValueError, match="not a vector: 'hello 1 0 0 0'"):
        vector("valid", "hello 1 0 0 0")


@pytest.mark.parametrize("pattern, line, fits", [
    ("<01 OK t", "<01 OK 17 1 0", True), ("<01 OK t", "<01 OK -17", False), ("<01 OK t", "<01 OK", False),
    ("<01 ER t 1|3", "<01 ER 17 3 limit", True), ("<01 ER t 1|3", "<01 ER 17 13 limit", False),
    ("<01 OK t", "<02 OK 17", False),
])
def test_a_pattern_is_a_beginning(pattern, line, fits):
    assert matches(pattern, line) is fits


@pytest.mark.parametrize("answers, said", [
    (["<01 OK 5 1", "<01 OK 5 1"], ""), (["<01 OK 5 1", "<01 OK 6 1"], "instead of"), (["<01 OK 5 1"], "1 lines instead of 2"),
    (["<01 ER 5 2 verb", "<01 ER 5 2 verb"], "instead of"), ([], "silence"),
])
def test_what_a_device_answers_is_compared_line_by_line(answers, said):
    found = disagreement(("<01 OK t", "same"), answers)
    assert said in found if said else found == ""


def test_an_event_may_stand_anywhere_but_must_be_there():
    patterns = ("! STOP", "<01 OK t")
    assert disagreement(patterns, ["<01 OK 5", "!03 EV 5 STOP"]) == ""
    assert disagreement(patterns, ["<01 OK 5", "!03 EV 5 WDOG"]) == "no event STOP"
