"""Traffic as people read it: every line once, what is wrong with it said, what it means in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_models.interface.wire.framing import HOST_HEARS, Decoder, make
from linac_ctl.hil.client import Piece
from linac_ctl.hil.traffic import MOST, lines, problem, shown
from linac_ctl.hil.vectors import vectors


def heard(*pieces: tuple[bool, bytes]):
    return list(lines([Piece(1000 * i, sent, data) for i, (sent, data) in enumerate(pieces)], 0))


@pytest.mark.parametrize("vector", vectors("invalid"), ids=lambda vector: vector.name)
def test_every_invalid_vector_has_a_problem(vector):
    found = heard((True, vector.data))
    assert found and all(one.problem for one in found)


@pytest.mark.parametrize("vector", vectors("valid"), ids=lambda vector: vector.name)
def test_no_valid_vector_has_one(vector):
    assert not any(one.problem for one in heard((True, vector.data)))


@given(st.binary(max_size=300), st.integers(1, 40))
def test_any_bytes_in_any_pieces_are_the_same_lines(data, step):
    cut = [(False, data[i : i + step]) for i in range(0, len(data), step)]
    assert [one.text for one in heard(*cut)] == [one.text for one in heard((False, data))]


@given(st.lists(st.sampled_from((b"<01 OK 1*2AFA\r\n", b"~00 ST 1 1 0*AB66", b"\n", b"x", b"<", b"<01 OK 1*0000\r\n"))))
def test_lines_without_a_problem_are_those_a_receiver_takes(parts):
    data = b"".join(parts) + b"\n"
    taken = [line.raw.decode() for line in Decoder(hears=HOST_HEARS).feed(data)]
    assert [one.text for one in heard((False, data)) if not one.problem] == taken


def test_a_reply_is_explained_by_its_request():
    found = heard((True, make(b">", 1, "ST")), (False, make(b"<", 1, "OK 1070 3 19 5 0")), (True, make(b">", 2, "MV 0 99")),
                  (False, make(b"<", 2, "ER 1080 4 state state=1")), (False, make(b"!", 0, "EV 1090 WDOG")))
    assert [one.meaning for one in found] == [
        "status", "ST at 1.070 s: MOVE (power, reference, moving)", "move", "MV refused at 1.080 s: state state=1",
        "event at 1.090 s: WDOG"]


def test_a_stop_byte_is_seen_inside_a_line_and_leaves_it_whole():
    found = heard((True, b">01 \x18ST*30D7\r\n"))
    assert [(one.text, one.meaning, one.problem) for one in found] == [("\\x18", "stop byte", ""), (">01 ST*30D7", "status", "")]


@pytest.mark.parametrize("line, said", [
    (b">01 HI*2CC3", "CRC 2CC3 instead of 2CC2"), (b">01 HI", "no CRC at its end"),
    (b">01 \xff*0000", "bytes that are no characters"),
    (b"login: >01", "begins with something else"), (b"HI", "no start character"), (make(b">", 1, "hi").rstrip(), "form wrong"),
])
def test_a_problem_is_named(line, said):
    assert said in problem(line)


def test_too_much_traffic_keeps_its_beginning_and_its_end():
    pieces = [Piece(i, True, make(b">", i, f"WD {i}")) for i in range(2 * MOST)]
    entries = shown(pieces, 0)
    assert len(entries) == MOST + 1 and entries[MOST // 2].text == f"... {MOST} lines left out ..."
    assert entries[0].text.startswith(">00 WD 0*") and f"WD {2 * MOST - 1}*" in entries[-1].text
