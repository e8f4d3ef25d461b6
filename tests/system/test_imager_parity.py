"""Imagers behind a line give the session that they give in process: the same digest, the same pixels, the same metadata."""

from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from device_models.interface.wire.fields import IMAGERS, UNITS
from linac_ctl.errors import LinkError
from linac_ctl.hardware import Hardware
from linac_ctl.imager_link import ImagerLink
from linac_ctl.links.url import parse_url
from linac_ctl.mv_link import MvLink
from linac_ctl.order import Order
from linac_ctl.outcome import link_results
from linac_ctl.wire_imagers import WireExposures, WirePortal
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
from tests.support import Run, machine, run

TRANSLATED = (5.0, -4.0, 3.0, 0.0, 0.0, 0.0)


def with_cbct() -> Order:
    """A CBCT of 60 frames, a pair, and images at every step of dose."""
    return guided(rules=looking(), steps=[*BEFORE, *GUIDE, TREAT | {"approve_s": 0.1}, CLOSE], mu=40.0, mode="6X")


def with_mv() -> Order:
    """One image from each imager, at a right angle."""
    steps = [*BEFORE, soon("acquire_mv_kv"), MATCH, APPROVE, SHIFT, {"step": "retract_imager"}, TREAT, CLOSE]
    return guided(error=TRANSLATED, steps=steps, rules=protocol("conventional_mv_kv"))


SESSIONS = {"cbct": with_cbct, "mv": with_mv}


def behind(session: str, **links: str) -> Run:
    order = replace(SESSIONS[session](), links={name: parse_url(url) for name, url in links.items()})
    return run(order, prepared=room())


@cache
def in_process(session: str) -> tuple[Run, str]:
    sim = behind(session)
    assert sim.error is None and isinstance(sim.suite.imaging.kv.exposures, ImagerLink)
    return sim, sim.finish()


def frames(sim: Run) -> list[Any]:
    desk = sim.suite.imaging
    return [frame for images in desk.images for frame in images.frames] + [tracked.frame for tracked in desk.tracked]


def the_same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name)) for field in fields(one))


@pytest.mark.parametrize(("session", "links"), [
    ("cbct", {"kv_imager": "loopback:"}), ("cbct", {"kv_imager": "pty:", "mv_imager": "pty:"}),
    ("mv", {"mv_imager": "loopback:"}), ("mv", {"kv_imager": "pty:", "mv_imager": "pty:"}),
    ("cbct", {"kv_imager": "loopback:", "couch": "loopback:", "gantry": "loopback:", "kv_arms": "loopback:", "room": "loopback:"}),
])
def test_an_imager_behind_bytes_gives_the_digest_the_pixels_and_the_metadata_of_one_in_process(session: str, links: Any) -> None:
    plain, digest = in_process(session)
    sim = behind(session, **links)
    assert sim.error is None and sim.suite.imaging.shifts
    assert isinstance(sim.suite.imaging.kv.exposures, WireExposures) == ("kv_imager" in links)
    assert isinstance(sim.suite.imaging.mv_imager.portal, WirePortal) == ("mv_imager" in links)
    pairs = list(zip(frames(plain), frames(sim), strict=True))
    assert len(pairs) >= (60 if session == "cbct" else 2) and all(the_same(one, other) for one, other in pairs)
    assert sim.finish() == digest


def test_every_device_of_the_table_behind_a_pty_in_a_session_with_images_is_the_session_in_process() -> None:
    plain, digest = in_process("mv")
    sim = behind("mv", **dict.fromkeys((*UNITS, *IMAGERS), "pty:"))
    assert sim.error is None and all(the_same(one, other) for one, other in zip(frames(plain), frames(sim), strict=True))
    assert sim.finish() == digest


def test_one_count_in_one_pixel_or_one_micrometre_in_one_readback_is_noticed() -> None:
    """The comparison above can fail."""
    frame = frames(in_process("cbct")[0])[0]
    pixels = frame.pixels.copy()
    pixels[3, 5] += 1
    assert the_same(frame, replace(frame)) and not the_same(frame, replace(frame, pixels=pixels))
    assert not the_same(frame, replace(frame, couch=(frame.couch[0] + 0.001, *frame.couch[1:])))


def test_numbers_of_frames_in_process_are_whole_numbers_of_the_wire_too() -> None:
    for frame in [frame for session in SESSIONS for frame in frames(in_process(session)[0])]:
        numbers = np.array([frame.time_s, frame.gantry_deg, *frame.source_mm, *frame.panel_mm, *frame.couch])
        assert np.array_equal(np.rint(numbers * 1000.0) / 1000.0, numbers)
        assert frame.pitch_mm == round(frame.pitch_mm * 1e6) / 1e6


def test_the_record_says_what_the_lines_to_imagers_were_like_and_nothing_is_left_on_the_disk(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    sim = behind("mv", kv_imager="pty:", mv_imager="loopback:")
    assert len(list(tmp_path.iterdir())) == 2
    results = link_results(sim)
    sim.finish()
    assert [(one.device, one.url, one.up, one.refused, one.invalid) for one in results] == [
        ("kv_imager", "pty:", True, 0, 0), ("mv_imager", "loopback:", True, 0, 0)]
    assert results[0].answers == results[0].requests > 50 and list(tmp_path.iterdir()) == []


def test_an_imager_that_the_machine_has_not_or_the_session_does_not_use_is_refused_by_name() -> None:
    link = {"kv_imager": parse_url("loopback:")}
    with pytest.raises(LinkError, match="this machine has no kv_imager"):
        Hardware(link, machine("bench_small").controller.model_copy(update={"kv_imager": None}))
    with pytest.raises(LinkError, match="this session takes no images; leave the link out"):
        run(replace(with_mv(), imaging=None, links=link))
    with pytest.raises(LinkError, match="cannot be a device outside; use loopback: or pty:"):
        run(replace(with_mv(), links={"mv_imager": parse_url("tcp://127.0.0.1:4001")}))


def test_the_portal_of_a_session_without_links_is_the_room_s_own() -> None:
    assert isinstance(in_process("mv")[0].suite.imaging.mv_imager.portal, MvLink)
