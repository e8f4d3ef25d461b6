"""The published vectors, sent to the reference firmware."""

import pytest

from linac_ctl.hil.vectors import Vector, disagreement, vectors
from tests.firmware.bench import Line, frame

END = "7E"  # a sequence number that no vector uses


def exchange(line: Line, vector: Vector) -> list[str]:
    """What the device says to a vector, between two `HI`."""
    line.send(frame("00 HI"))
    line.wait_for("<00 OK")
    if vector.section == "typed":
        line.send(frame("01 TT"))
        line.wait_for("<01 OK")
    begun = len(line.heard)
    line.send(vector.data + frame(f"{END} HI"))
    line.wait_for(f"<{END} OK")
    line.sequence = int(END, 16)
    return [answer for answer in line.heard[begun:] if not answer.startswith(f"<{END} ")]


@pytest.mark.parametrize("vector", vectors("valid", "invalid", "adversarial", "typed"), ids=lambda v: f"{v.section}-{v.name}")
def test_every_published_vector_is_answered_and_counted_as_published(device, vector):
    before = device.counters()
    answers = exchange(device, vector)
    after = device.counters()
    assert disagreement(vector.answers, answers) == ""
    ours = {"good": 3 + (vector.section == "typed")}  # two HI, one CN, a TT
    wanted = {name: getattr(vector, name) + ours.get(name, 0) for name in ("good", "invalid", "repeated", "old", "stops")}
    assert {name: after[name] - before[name] for name in wanted} == wanted


def test_a_latched_device_answers_too_and_says_that_it_was_stopped(fresh):
    fresh.ok("WD 10000")
    stop = next(vector for vector in vectors("adversarial") if vector.name == "stop-in-line")
    assert disagreement(stop.answers, exchange(fresh, stop)) == ""
