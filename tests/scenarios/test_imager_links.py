"""An imager behind a line that goes away, restarts, forgets or lies: one error with its name, and never a beam or an exception."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from linac_ctl.errors import DeviceError, RefusedError
from linac_ctl.links.url import parse_url
from tests.scenarios.bench import Bench, Fault, after, at_mu
from tests.sequencer.guided import (
    APPROVE,
    BEFORE,
    CLOSE,
    GUIDE,
    MATCH,
    SHIFT,
    TREAT,
    guided,
    looking,
    protocol,
    room,
    soon,
)

Do = Callable[[Bench], None]


def bench(do: Do, when: Any = None, **kw: Any) -> Bench:
    """A guided session; it happens when forty frames of the first scan have been exposed."""
    order = replace(guided(**kw), links={"kv_imager": parse_url("loopback:")})
    fault = when(do) if when else Fault(lambda b: b.imager.imager.frames >= 40, do)
    it = Bench(order, [fault], prepared=room())
    it.run()
    assert len(it.applied) == 1, "the fault did not act"
    return it


def line(it: Bench) -> Any:
    assert it.hardware is not None
    return it.hardware.imagers[0]


def end(it: Bench) -> Any:
    assert it.hardware is not None
    return it.hardware.ends[0]


def nothing_given(it: Bench) -> bool:
    return float(it.plant.beam["true_total_mu"][0]) == 0.0


def test_a_plug_pulled_in_a_scan_ends_the_session_without_images_and_without_beam() -> None:
    it = bench(lambda b: end(b).stream.close())
    assert isinstance(it.error, DeviceError) and str(it.error).startswith("kV imager: no answer to `AR")
    assert nothing_given(it) and it.suite.imaging.images == []
    assert [e.who for e in it.said("link lost")] == ["kv_imager"]


def test_an_imager_that_says_nothing_is_asked_three_times_and_then_lost() -> None:
    it = bench(lambda b: setattr(end(b).device, "silent", lambda: True))
    assert isinstance(it.error, DeviceError) and "is it powered" in str(it.error) and nothing_given(it)
    assert line(it).up is False and len(it.said("link lost")) == 1


def test_an_imager_that_powers_up_again_is_not_used_any_more() -> None:
    it = bench(lambda b: end(b).device.power_up())
    assert isinstance(it.error, DeviceError) and "it has powered up again" in str(it.error) and nothing_given(it)


def test_a_stop_byte_at_the_imager_ends_the_scan() -> None:
    it = bench(lambda b: end(b).device.hear(b"\x18"))
    assert isinstance(it.error, DeviceError) and "stopped by its stop byte" in str(it.error) and nothing_given(it)


@pytest.mark.parametrize(("act", "words"), [("open_door", "the door is open; close it"), ("key_off", "look at the key"),
                                            ("release_exposure", "exposure switch is not held")])
def test_the_generator_s_own_refusals_cross_the_line_as_what_they_are(act: str, words: str) -> None:
    it = bench(lambda b: b.staff.hands.do(act))
    assert isinstance(it.error, RefusedError) and str(it.error).startswith("kV imager: no exposure: ") and words in str(it.error)
    assert nothing_given(it) and it.suite.imaging.images == []


def test_lines_that_got_lost_are_asked_again_and_nothing_is_exposed_twice() -> None:
    def deaf(b: Bench) -> None:
        device, lost = end(b).device, [0]
        say = device.out

        def now_and_then(data: bytes) -> None:
            lost[0] += 1
            if lost[0] % 3:
                say(data)

        device.out = now_and_then

    it = bench(deaf)
    assert it.error is None and end(it).device.counts.repeated > 10
    assert it.imager.imager.frames == int(it.control.job["kv_asked"][0]) == int(it.image.room["kv_exposures"][0])


@pytest.mark.parametrize("spoilt", ["missing", "short"])
def test_pixels_that_are_not_there_are_a_device_error(spoilt: str) -> None:
    def spoil(b: Bench) -> None:
        keep = end(b).files.keep

        def lies(name: str, pixels: Any) -> str:
            place = str(keep(name, pixels))
            path = Path(place.removeprefix("file="))
            path.unlink() if spoilt == "missing" else path.write_bytes(path.read_bytes()[:-2])
            return place

        end(b).files.keep = lies

    it = bench(spoil)
    words = "No such file" if spoilt == "missing" else "bytes came, rows x columns x 2 are"
    assert isinstance(it.error, DeviceError) and words in str(it.error) and nothing_given(it)


def test_a_line_lost_in_the_beam_holds_it_because_nobody_sees_the_target() -> None:
    steps = [*BEFORE, *GUIDE, TREAT | {"approve_s": 0.1}, CLOSE]
    it = bench(lambda b: end(b).stream.close(), lambda do: at_mu(1, 25.0, do), rules=looking(), steps=steps, mu=80.0, mode="6X")
    assert it.said("target not seen: kV imager: ")
    assert it.error is not None and it.mu(1) < 45.0 and it.image.beam["permit"][0] == 0.0


def test_a_lost_imager_is_noticed_while_nobody_wants_an_image() -> None:
    it = bench(lambda b: end(b).stream.close(), lambda do: after("match", 0.0, do))
    assert it.said("link lost") and it.error is not None and nothing_given(it)


def test_an_mv_imager_that_is_lost_costs_no_beam() -> None:
    steps = [*BEFORE, soon("acquire_mv_kv"), MATCH, APPROVE, SHIFT, TREAT, CLOSE]
    order = guided(steps=steps, rules=protocol("conventional_mv_kv"))
    it = Bench(replace(order, links={"mv_imager": parse_url("loopback:")}),
               [after("step AcquireMvKv", 0.0, lambda b: end(b).stream.close())], prepared=room())
    it.run()
    assert len(it.applied) == 1 and isinstance(it.error, DeviceError) and "MV imager: " in str(it.error) and nothing_given(it)
