"""Who is there must be who was expected: everything else is one clear error that says what to do."""

from typing import Any

import pytest

from device_models.interface.wire.fields import UNITS
from linac_ctl.errors import LinkError
from linac_ctl.hardware import axes
from linac_ctl.links.client import Client
from linac_ctl.links.identity import ask_identity
from tests.links.device import AXES, HELLO, Far, pair
from tests.support import machine

COUCH = axes(machine("c_arm_m120").controller, "couch")


def meet(far: Far, stream: Any, baud: int = 0) -> Any:
    return ask_identity(Client("couch (test:)", stream), UNITS["couch"], COUCH, baud)


def refused(baud: int = 0, items: dict[int, str] | None = None, **answers: str | None) -> str:
    stream, far = pair(**answers)
    for i, item in (items or {}).items():
        far.items[i] = item
    with pytest.raises(LinkError) as error:
        meet(far, stream, baud)
    assert error.value.exit_code == 6 and str(error.value).startswith("couch (test:): ")
    return str(error.value)


def test_the_right_device_is_known_by_all_that_it_says() -> None:
    stream, far = pair()
    who = meet(far, stream)
    assert (who.firmware, who.serial, who.session, who.maxline) == ("test-1", "7", "ABCD1234", 160) and "ls" in who.caps


@pytest.mark.parametrize(("old", "new", "words"), [
    ("proto=1", "proto=2", "protocol version is 2, must be 1"),
    ("proto=1 ", "", "protocol version is not told, must be 1"),
    ("unit=couch", "unit=gantry", "unit is gantry, must be couch"),
    ("axes=6", "axes=3", "number of axes is 3, must be 6"),
    ("maxline=160", "maxline=40", "takes lines of 40 characters"),
])
def test_another_device_is_refused(old: str, new: str, words: str) -> None:
    assert words in refused(HI=HELLO.replace(old, new))


@pytest.mark.parametrize(("axis", "old", "new", "words"), [
    (0, "low=-260000", "low=-10000", "axis 0 (couch lateral) goes from -10000 to 260000 um, the machine file may ask for"),
    (2, "high=510000", "high=-510000", "axis 2 (couch vertical) goes from -510000 to -510000 um"),
    (3, "unit=mdeg", "unit=um", "unit of axis 3 (couch rotation) is um, must be mdeg"),
    (1, "axis=1", "axis=7", "axis 1 (couch longitudinal) is not among what `DD` describes"),
    (4, "low=-4000", "low=none", "axis 4 (couch pitch) goes from none"),
    (5, "low=-4000 ", "", "axis 5 (couch roll) goes from (not told) to 4000 mdeg"),
])
def test_a_device_that_says_other_limits_or_units_is_refused(axis: int, old: str, new: str, words: str) -> None:
    assert words in refused(items={axis: AXES[axis].replace(old, new)})


@pytest.mark.parametrize("leaf", [0, 60, 119])
def test_every_leaf_is_asked_for_its_limits(leaf: int) -> None:
    leaves = axes(machine("c_arm_m120").controller, "mlc")
    stream, far = pair(HI="proto=1 unit=mlc axes=120 fw=t serial=7 session=ABCD1234 caps=bk maxline=1400 baud=0", DD="120")
    ends = [(-150_000, 200_000)] * 60 + [(-200_000, 150_000)] * 60
    far.items = [f"axis={i} name=l unit=um low={low} high={1 if i == leaf else high} vmax=1 amax=1"
                 for i, (low, high) in enumerate(ends)]
    with pytest.raises(LinkError, match=rf"axis {leaf} \(.*\) goes from {ends[leaf][0]} to 1 um"):
        ask_identity(Client("mlc (test:)", stream), UNITS["mlc"], leaves, 0)


def test_a_line_that_is_too_slow_for_a_hundred_cycles_is_refused_with_the_rate_that_is_enough() -> None:
    words = refused(baud=57600)
    assert "of 57600 baud: does not fit; it carries 51 Hz at most: set the line to 115200 baud" in words


def test_silence_junk_and_a_line_that_is_down_are_told_apart() -> None:
    stream, far = pair(HI=None)
    stream_2, far_2 = pair()
    far_2.spoil = lambda line: b"\xfe\x80" + line[:9] + b"\r\n"
    stream_3, far_3 = pair()
    far_3.stream.close()
    said = []
    for line, other in ((stream, far), (stream_2, far_2), (stream_3, far_3)):
        with pytest.raises(LinkError) as error:
            meet(other, line)
        said.append(str(error.value))
    assert "is it powered, is it the right port" in said[0]
    assert "none of them were a valid line: another baud rate, or another protocol" in said[1]
    assert "the other end closed; connect it and start again" in said[2]


def test_a_device_that_refuses_what_every_device_must_do_is_named() -> None:
    assert "refuses `DD`: 2 verb" in refused(DD="ER 2 verb")


def test_a_radiation_source_without_arming_is_not_asked_for_beam() -> None:
    hello = "proto=1 unit=beam axes=0 fw=x serial=1 session=00000000 caps=tm maxline=320 baud=0"
    stream, _far = pair(HI=hello, DD="0")
    with pytest.raises(LinkError, match="without two-step arming"):
        ask_identity(Client("beam (test:)", stream), UNITS["beam"], (), 0)
