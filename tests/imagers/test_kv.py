"""The kV imager: exposes only when asked and allowed, tells what encoders say, and shows what is true."""

from dataclasses import replace

import numpy as np
import pytest

from device_models.imagers.attenuation import kv_spectrum
from device_models.imagers.config import FlexConfig, load_imagers
from device_models.imagers.errors import ExposureRefused
from device_models.imagers.kv import Permits
from device_models.imagers.projector import BodyProjector
from device_models.imagers.tube import Technique, Tube
from device_models.imagers.views import view_of
from device_models.interface.volume import Pose
from device_models.patient.couch import CouchPose
from device_models.patient.hidden import HiddenPose
from device_models.patient.motion import Breathing
from device_models.patient.qa import ball
from tests.imagers.support import CBCT, YES, exact, kv, lump, shot, stiff

QUIET = {"scatter_fraction": 0.0, "lag_share": 0.0}


def panel_with(**changes):
    config = stiff()
    panel = config.kv.panel.model_copy(update=changes)
    return config.model_copy(update={"kv": config.kv.model_copy(update={"panel": panel})})


def flex_with(**parts):
    none = ((0.0, 0.0, 0.0),) * 3
    config = stiff()
    flex = FlexConfig(**({"source_mm": none, "panel_mm": none} | parts))
    return config.model_copy(update={"kv": config.kv.model_copy(update={"flex": flex})})


def ball_at(frame):
    """(column, row) of the darkest blob, by its weight."""
    weight = np.clip(frame.integrals() - 1.5, 0.0, None).astype(float)
    rows, columns = np.indices(weight.shape)
    return np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()


def told(frame):
    """The view that the metadata describe."""
    m = frame.metadata
    return view_of(m.source_angle_deg, np.array(m.source_mm), np.array(m.panel_mm), 0.0, (m.columns, m.rows, m.pitch_mm))


def test_the_logarithm_of_a_frame_is_the_line_integral():
    frame = kv(config=panel_with(**QUIET)).expose(shot(30.0), YES)
    truth = exact().integrals([told(frame)], [Pose()], _spectrum())[0].T
    off = frame.integrals() - truth
    assert frame.pixels.shape == (96, 128) and frame.pixels.dtype == np.uint16
    assert abs(off.mean()) < 0.01 and np.abs(off).max() < 0.2


def _spectrum():
    return kv_spectrum(load_imagers().kv.tube, CBCT.kv)


@pytest.mark.parametrize("permits, says", [
    (Permits(False, True), "the door is open"), (Permits(True, False), "switch is not held"),
    (Permits(True, True, False), "not enabled"),
    (Permits(float("nan"), True), "the door is open"),
])
def test_no_wire_no_exposure(permits, says):
    imager = kv()
    with pytest.raises(ExposureRefused, match=says):
        imager.expose(shot(), permits)
    assert imager.tube.heat_kj == 0.0 and imager.frames == 0


def test_encoders_may_lie_but_pixels_do_not():
    same, lying = kv().expose(shot(30.0), YES), kv().expose(shot(30.0, seen_deg=31.0), YES)
    assert np.array_equal(same.pixels, lying.pixels)
    assert lying.metadata.gantry_deg == 31.0 and lying.metadata.source_angle_deg == 121.0


@pytest.mark.parametrize("gantry", [0.0, 90.0, 200.0])
@pytest.mark.parametrize("couch", [CouchPose(), CouchPose(4.0, -6.0, 3.0, 20.0, 1.0, -1.5)])
def test_a_ball_is_seen_where_geometry_says(gantry, couch):
    offset = (5.0, -7.0, 3.0)
    hidden = HiddenPose(set_up=Pose((1.0, 2.0, -1.0), (0.0, 0.0, 2.0)))
    imager = kv(projector=BodyProjector(ball(offset)), hidden=hidden, config=panel_with(**QUIET))
    frame = imager.expose(shot(gantry, binning=4, couch=couch), YES)
    assert ball_at(frame) == pytest.approx(told(frame).project(hidden.pose(0.0, couch).apply(offset)), abs=0.05)


def test_a_sag_of_the_panel_moves_the_image_the_other_way():
    straight = ball_at(kv(projector=BodyProjector(ball()), config=panel_with(**QUIET)).expose(shot(binning=4), YES))
    flexed = flex_with(panel_mm=((0.0, 1.552, 0.0), (0.776, 0.0, 0.0), (0.0, 0.0, 0.0)))
    sagged = ball_at(kv(projector=BodyProjector(ball()), config=flexed).expose(shot(0.0, binning=4), YES))
    assert sagged - straight == pytest.approx([-2.0, -1.0], abs=0.05)
    behind = ball_at(kv(projector=BodyProjector(ball()), config=flexed).expose(shot(180.0, binning=4), YES))
    assert behind - straight == pytest.approx([2.0, -1.0], abs=0.05)


def test_a_rolled_panel_turns_the_image():
    imager = kv(projector=BodyProjector(ball((0.0, 20.0, 0.0))), config=flex_with(roll_deg=(10.0, 0.0, 0.0)))
    column, row = ball_at(imager.expose(shot(0.0, binning=4), YES)) - (255.5, 191.5)
    assert np.degrees(np.arctan2(column, row)) == pytest.approx(10.0, abs=0.2)


def test_the_panel_offset_of_a_half_fan_shows_the_other_side():
    arms = {"kv_arms_mm": (1000.0, -500.0, -148.0, 0.0)}
    frame = kv(projector=BodyProjector(ball()), config=panel_with(**QUIET)).expose(shot(binning=4, **arms), YES)
    assert ball_at(frame)[0] == pytest.approx(255.5 + 148.0 / 0.776, abs=0.1) and frame.metadata.panel_mm == (-148.0, 0.0, -500.0)


def test_breathing_is_seen_at_the_instant_of_each_frame():
    hidden = HiddenPose(motions=(Breathing((0.0, 12.0, 0.0), period_s=4.0),))
    imager = kv(projector=BodyProjector(ball()), hidden=hidden)
    frames = imager.scan([shot(0.0, t, binning=4) for t in (4.0, 5.0, 6.0)], YES)
    rows = np.array([ball_at(frame)[1] for frame in frames])
    assert (rows - rows[0]) * 0.776 / 1.5 == pytest.approx([0.0, 3.0, 12.0], abs=0.1)


def test_frames_are_the_same_for_the_same_seed_and_only_for_it():
    a, b, c = (kv(seed).scan([shot(t, 1.0 + t) for t in (0.0, 1.0)], YES) for seed in (5, 5, 6))
    assert all(np.array_equal(x.pixels, y.pixels) and x.metadata == y.metadata for x, y in zip(a, b, strict=True))
    assert not np.array_equal(a[0].pixels, c[0].pixels)


def test_one_scan_or_many_exposures_is_the_same():
    shots = [shot(10.0 * k, 1.0 + k) for k in range(35)]  # more than one chunk
    together, single = kv(), kv()
    one_by_one = [single.expose(each, YES) for each in shots]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(together.scan(shots, YES), one_by_one, strict=True))
    assert [frame.metadata.number for frame in one_by_one] == list(range(35))


@pytest.mark.parametrize("shots, says", [
    ([shot(0.0, 1.0), shot(1.0, 1.0)], "follow each other in time"),
    ([shot(0.0, 1.0), shot(1.0, 2.0, technique=Technique(100.0, 42.0, 20.0))], "one kV"),
    ([shot(0.0, 1.0), shot(1.0, 2.0, binning=8)], "binning"),
    ([shot(kv_arms_mm=(300.0, 300.0, 0.0, 0.0))], "tube's side"),
    ([shot(binning=0)], "binning 0; a whole number from 1 to 64"),
    ([shot(range_name="loud")], "no range 'loud'; there are sensitive, wide"),
    ([shot(technique=Technique(150.0, 42.0, 20.0))], "150 kV asked, 40 to 140 kV is possible"),
    ([shot(technique=Technique(float("nan"), 42.0, 20.0))], "nan kV asked"),
    ([shot(technique=Technique(125.0, 600.0, 20.0))], "75.0 kW asked, 50 kW is the most"),
])
def test_what_cannot_be_exposed_is_refused(shots, says):
    with pytest.raises(ExposureRefused, match=says):
        kv().scan(shots, YES)


def test_a_machine_that_does_not_know_where_it_is_takes_no_image():
    with pytest.raises(ValueError, match="does not know where it is"):
        shot(float("nan"))


def test_the_anode_heats_up_refuses_and_cools_down():
    tube = Tube(load_imagers().kv.tube, 1)
    strong = Technique(100.0, 400.0, 1000.0)  # 40 kJ
    for k in range(11):
        tube.expose(strong, 0.0, k)
    assert tube.heat_kj == pytest.approx(440.0) and tube.heat_khu == pytest.approx(594.0)
    with pytest.raises(ExposureRefused, match=r"anode at 440 kJ \(594 kHU\), 40.0 kJ more would pass its 440 kJ; wait 24 s"):
        tube.expose(strong, 0.0, 11)
    tube.expose(strong, 25.0, 11)
    assert tube.heat_then(25.0 + 250.0) == pytest.approx(tube.heat_kj / np.e)


def test_a_broken_tube_gives_dark_frames():
    imager = kv()
    imager.tube.broken = 1.0
    assert imager.expose(shot(), YES).pixels.max() < 20


def test_more_charge_is_less_noise():
    def noise(ms):
        quiet = panel_with(**QUIET, electronic_noise=0.0)
        frames = kv(config=quiet).scan([shot(0.0, 1.0 + k, technique=Technique(125.0, 42.0, ms)) for k in range(2)], YES)
        return float((frames[0].integrals() - frames[1].integrals())[40:56, 50:70].std())

    assert noise(5.0) / noise(20.0) == pytest.approx(2.0, rel=0.1)


def test_scatter_fills_the_shadow():
    clean, foggy = (kv(config=panel_with(lag_share=0.0, scatter_fraction=f)).expose(shot(), YES) for f in (0.0, 0.3))
    middle = slice(44, 52), slice(60, 68)
    assert foggy.pixels[middle].mean() > 1.05 * clean.pixels[middle].mean()


def test_too_much_light_is_full_and_stays_full():
    frame = kv().expose(shot(technique=Technique(125.0, 100.0, 60.0)), YES)
    assert frame.pixels.max() == 65535 and frame.pixels.min() < 65535 and frame.metadata.air_counts > 65535


def test_a_frame_leaves_a_ghost_that_fades():
    def after(pause_s):
        config = panel_with(lag_share=0.1, scatter_fraction=0.0)
        imager = kv(config=config)
        imager.expose(shot(0.0, 1.0), YES)
        dark = shot(0.0, 1.0 + pause_s)
        imager.tube.broken = 1.0
        return float(imager.expose(dark, YES).pixels.mean())

    assert after(0.1) > 2.0 * after(0.5) > 10.0 > after(10.0)


def test_known_bad_pixels_are_mended_and_new_ones_are_not():
    config = panel_with(bad_pixels=3000, **QUIET)
    good, worn = kv(config=config), kv(config=config)
    worn.panel.unknown_bad.append((100, 200))
    a, b = (imager.expose(shot(binning=4), YES).pixels for imager in (good, worn))
    assert len(good.panel.maps(4).bad) > 2000 and a.min() > 1000
    assert b[50, 25] == 0 and (a != b).sum() == 1


def test_gain_and_offset_of_pixels_are_corrected():
    config = panel_with(gain_spread=0.1, dark_spread=50.0, **QUIET)
    frame = kv(projector=BodyProjector(_nothing()), config=config).expose(shot(binning=4), YES)
    quanta = frame.metadata.air_counts / kv().panel.per_quantum("sensitive", 0.776)
    assert frame.pixels.std() / frame.pixels.mean() == pytest.approx(quanta**-0.5, rel=0.1)
    assert frame.pixels.mean() == pytest.approx(frame.metadata.air_counts, rel=0.02)


def _nothing():
    return replace(lump(), bodies=lump().bodies * np.where(np.arange(17) == 16, 0.0, 1.0))
