"""An imager's line gives frames, or one error that says why not; whatever the imager says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from device_models.interface.stream.loopback import loopback_pair
from device_models.interface.wire.fields import IMAGERS
from device_models.interface.wire.framing import Decoder
from linac_ctl.errors import DeviceError, LinacError, LinkError, RefusedError
from linac_ctl.links.client import Client
from linac_ctl.links.imager import ImagerLine
from linac_ctl.subsystems.kv_frames import Technique
from linac_ctl.wire_imagers import PORTION, WireExposures
from tests.links.device import Far

HELLO = "proto=1 unit=kv_imager axes=0 fw=test-1 serial=7 session=ABCD1234 caps=tm,ar,im maxline=400 baud=0"
IM = "5 1000 -90000 0 0 1000000 0 0 -500000 0 0 0 0 0 0 388000 1234 125000 840000 2 3"
SHOT = Technique(125.0, 42.0, 20.0, 16)


@pytest.fixture
def pixels(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "5.u16").write_bytes(bytes(12))
    yield f"file={tmp_path / '5.u16'}"


def line(**answers: str | None) -> tuple[ImagerLine, Far]:
    ours, theirs = loopback_pair("kv_imager")
    far = Far(theirs, **{"HI": HELLO, "AR": "2", "FI": "2 5", "IM": IM} | answers)
    far.items = ["fi=volt unit=V low=40000 high=140000"] * 6
    client = Client("kv_imager (loopback:)", ours, decoder=Decoder(maxline=IMAGERS["kv_imager"].maxline))
    return ImagerLine("kV imager", IMAGERS["kv_imager"], client), far


def error(verb: str, kind: type[LinacError], **answers: str | None) -> str:
    it, _ = line(**answers)
    with pytest.raises(kind) as found:
        it.arm()
        number = it.fire(125_000, 42_000, 20_000, 16)
        it.frame(number)
    assert type(found.value) is kind and str(found.value).startswith("kV imager: ")
    assert it.stats.refused == (not verb.startswith("~"))
    return str(found.value)


def test_a_frame_is_armed_fired_described_and_fetched(pixels: str) -> None:
    it, far = line(PX=pixels)
    exposures = WireExposures(it)
    exposures.expose(SHOT)
    (frame,) = exposures.read()
    assert far.verbs[-4:] == ["AR", "FI", "IM", "PX"] and far.heard[-3].args == ("0001", "125000", "42000", "20000", "16")
    assert (frame.number, frame.time_s, frame.gantry_deg, frame.source_angle_deg) == (5, 1.0, -90.0, 0.0)
    assert frame.source_mm == (0.0, 0.0, 1000.0) and frame.pixels.shape == (2, 3) and (frame.kv, frame.mas) == (125.0, 0.84)


def test_every_exposure_has_a_nonce_of_its_own() -> None:
    it, far = line()
    for _ in range(3):
        it.arm()
        it.fire(125_000, 42_000, 20_000, 16)
    assert [heard.args[0] for heard in far.heard if heard.verb in ("AR", "FI")] == ["0001", "0001", "0002", "0002", "0003", "0003"]


def test_frames_are_fetched_before_the_imager_forgets_them_and_come_in_order(pixels: str) -> None:
    it, far = line(PX=pixels)
    exposures = WireExposures(it)
    for _ in range(PORTION + 1):
        exposures.expose(SHOT)
    assert far.verbs.count("PX") == PORTION and len(exposures.read()) == PORTION + 1 and exposures.read() == ()
    exposures.expose(SHOT)
    exposures.discard()
    assert exposures.read() == () and far.verbs.count("PX") == PORTION + 1


def test_after_frames_that_could_not_be_fetched_the_next_ones_are_by_themselves(pixels: str) -> None:
    it, far = line(PX=pixels)
    exposures = WireExposures(it)
    for _ in range(2):
        exposures.expose(SHOT)
    far.answers["PX"] = "file=/nowhere/5.u16"
    with pytest.raises(DeviceError, match="No such file"):
        exposures.read()
    far.answers["PX"] = pixels
    assert exposures.read() == ()
    exposures.expose(SHOT)
    assert len(exposures.read()) == 1


@pytest.mark.parametrize(("why", "kind", "words"), [
    ("door", RefusedError, "no exposure: the door is open; close it"), ("switch", RefusedError, "exposure switch is not held"),
    ("enable", RefusedError, "look at the key"), ("heat", RefusedError, "the anode is too hot"),
    ("power", RefusedError, "lower kV or mA"), ("place", RefusedError, "move the arms to their places"),
    ("readings", DeviceError, "an axis does not know where it is; image again"), ("storage", DeviceError, "cannot store pixels"),
])
def test_a_refusal_of_the_generator_says_what_to_do(why: str, kind: type[LinacError], words: str) -> None:
    assert words in error("FI", kind, FI=f"ER 4 state state=1 why={why}")


@pytest.mark.parametrize(("answer", "kind", "words"), [
    ("ER 3 limit fi=volt low=40000 high=140000", RefusedError, "volt is outside 40000 to 140000; change the technique"),
    ("ER 5 unarmed", DeviceError, "too late after arming, or for another one; image again"),
    ("ER 4 state state=0", DeviceError, "it has powered up again; look at why"),
    ("ER 4 state state=4", DeviceError, "it was stopped by its stop byte"),
    ("ER 2 verb", DeviceError, "refuses `FI 0001 125000 42000 20000 16`: 2 verb"),
    ("ER 4", DeviceError, "refuses `FI"), ("ER nan x=", DeviceError, "refuses `FI"), ("ER 3 limit", DeviceError, "refuses `FI"),
])
def test_any_other_refusal_is_told_with_its_words(answer: str, kind: type[LinacError], words: str) -> None:
    it, _ = line(FI=answer)
    it.arm()
    with pytest.raises(kind, match=words.replace("`", ".")) as found:
        it.fire(125_000, 42_000, 20_000, 16)
    assert type(found.value) is kind


@pytest.mark.parametrize("answer", ["2", "2 x", "2 -1", "2 5 5", "nan nan"])
def test_an_exposure_without_the_number_of_a_frame_is_a_device_error(answer: str) -> None:
    assert "names no frame; look at its firmware" in error("~FI", DeviceError, FI=answer)


@pytest.mark.parametrize("answer", [
    "5", IM + " 1", IM.replace("5 ", "6 ", 1), IM.replace("388000", "0"), IM.replace("1234", "0"), IM.replace(" 2 3", " 0 3"),
    IM.replace(" 2 3", " 9000 3"), IM.replace(" 2 3", " nan 3"), IM.replace("1234", "nan"), IM.replace("388000", "nan"),
    IM.replace("5 ", "nan ", 1), IM.replace("125000", "x=1"),
])
def test_metadata_that_are_none_are_a_device_error(answer: str) -> None:
    assert "frame 5 has no metadata" in error("~IM", DeviceError, IM=answer)


def test_a_frame_that_is_gone_and_pixels_that_are_nowhere_are_device_errors() -> None:
    assert "refuses `IM 5`: 3 limit low=6 high=69" in error("IM", DeviceError, IM="ER 3 limit low=6 high=69")
    assert "neither file=PATH nor tcp=HOST:PORT" in error("~PX", DeviceError, PX="somewhere else")
    assert "No such file" in error("~PX", DeviceError, PX="file=/nowhere/5.u16")


def test_an_imager_that_says_nothing_is_lost_once_and_for_all_and_that_is_told_once() -> None:
    it, far = line()
    told: list[str] = []
    it.tell = told.append
    far.answers["FI"] = None
    it.arm()
    with pytest.raises(DeviceError, match=r"kV imager: no answer to `FI 0001"):
        it.fire(125_000, 42_000, 20_000, 16)
    assert far.verbs.count("FI") == 3 and len({heard.raw for heard in far.heard if heard.verb == "FI"}) == 1
    far.answers["FI"] = "2 5"
    with pytest.raises(DeviceError, match="look at its line"):
        it.arm()
    it.look()
    assert len(told) == 1 and told[0].startswith("link lost: no answer") and not it.up


def test_looking_after_an_imager_raises_nothing_whatever_it_says() -> None:
    it, far = line()
    for answer in ("0", "ER 4 state state=5", "nonsense of any kind", "ER x"):
        far.answers["ST"] = answer
        it.look()
    assert it.up
    far.stream.close()
    it.look()
    it.leave()
    assert not it.up and "closed" in it.why


@pytest.mark.parametrize("missing", ["ar", "im"])
def test_a_device_that_cannot_arm_or_show_is_no_imager(missing: str) -> None:
    with pytest.raises(LinkError, match=f"capability `{missing}`"):
        line(HI=HELLO.replace(f",{missing}", ""))


def test_another_unit_is_not_taken_for_an_imager() -> None:
    with pytest.raises(LinkError, match="unit is couch, must be kv_imager"):
        line(HI=HELLO.replace("kv_imager", "couch"))
