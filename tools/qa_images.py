"""Image sets of machine QA as DICOM, from the virtual imagers: for pylinac, or for any analyser that a department uses.

    python tools/qa_images.py winston_lutz --out DIR [--ball 0.4 -0.3 0.6] [--off 1.0 0.0]
    python tools/qa_images.py kv_ball      --out DIR [--ball 0.4 -0.3 0.6] [--off 0.0 1.5]
    python tools/qa_images.py catphan      --out DIR [--frames 360] [--scatter] [--off 0.0 0.0]

`--ball`: where the ball lies, X Y Z in mm from the isocentre, IEC 61217. `--off`: how far the panel stands from where its arm's
readback says, across and along in mm: an imager fault that the analyser should find.
"""

import argparse
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from device_models.imagers.aperture import Aperture  # noqa: E402
from device_models.imagers.attenuation import kv_spectrum  # noqa: E402
from device_models.imagers.config import ImagersConfig, load_imagers  # noqa: E402
from device_models.imagers.frame import Frame, Instant  # noqa: E402
from device_models.imagers.geometry import sag  # noqa: E402
from device_models.imagers.kv import KvImager, KvShot, Permits  # noqa: E402
from device_models.imagers.mv import MvImager, MvShot  # noqa: E402
from device_models.imagers.projector import BodyProjector  # noqa: E402
from device_models.imagers.tube import Technique  # noqa: E402
from device_models.patient.couch import CouchPose  # noqa: E402
from device_models.patient.hidden import HiddenPose  # noqa: E402
from device_models.patient.qa import ball, catphan  # noqa: E402
from linac_ctl.imaging.couch import CouchPosition  # noqa: E402
from linac_ctl.imaging.dicom_base import Subject, uid  # noqa: E402
from linac_ctl.imaging.dicom_ct import cbct_series, hounsfield  # noqa: E402
from linac_ctl.imaging.dicom_rtimage import Exposure, rt_image  # noqa: E402
from linac_ctl.imaging.fdk import FULL, reconstruct  # noqa: E402
from linac_ctl.imaging.geometry import Frames, Panel  # noqa: E402
from linac_ctl.imaging.volume import Volume  # noqa: E402

BALL_MM = (0.4, -0.3, 0.6)
FIELD = Aperture((-10.0, 10.0, -10.0, 10.0))  # 20 x 20 mm
ANGLES = tuple(45.0 * k for k in range(8))
WHEN = datetime(2026, 1, 1, 12)  # noqa: DTZ001 DICOM times are local
YES, SEED = Permits(True, True), 11
Triple = tuple[float, float, float]
Off = tuple[float, float]


def subject(name: str) -> Subject:
    """A phantom on the couch, planned at the isocentre."""
    return Subject(name.upper(), name, uid("QA study", name), uid("QA frame", name), (0.0, 0.0, 0.0), "HFS", "virtual")


def winston_lutz(out: Path, ball_mm: Triple = BALL_MM, off_mm: Off = (0.0, 0.0), angles: tuple[float, ...] = ANGLES) -> None:
    """MV images of the ball in a square field, one per gantry angle."""
    imager = MvImager(load_imagers().mv, BodyProjector(ball(ball_mm)), HiddenPose(), SEED)
    for k, angle in enumerate(angles):
        seen = Instant(float(k), angle, CouchPose())
        vertical, across, along = seen.mv_arm_mm
        truth = replace(seen, mv_arm_mm=(vertical, across + off_mm[0], along + off_mm[1]))
        _write_image(out, k, imager.collect(MvShot("6X", 3.0, truth, seen, FIELD)))


def kv_ball(out: Path, ball_mm: Triple = BALL_MM, off_mm: Off = (0.0, 0.0), angles: tuple[float, ...] = ANGLES) -> None:
    """kV images of the ball, one per source angle; there is no field to see, so the middle of the panel stands for it."""
    config = _stiff_kv(load_imagers())
    imager = KvImager(config.kv, BodyProjector(ball(ball_mm)), HiddenPose(), SEED)
    for k, angle in enumerate(angles):
        seen = Instant(float(k), angle - config.kv.ahead_deg, CouchPose())
        shot = KvShot(Technique(100.0, 100.0, 20.0), _shifted(seen, off_mm), seen, binning=2)
        _write_image(out, k, imager.expose(shot, YES))


def catphan_scan(out: Path, frames: int = 360, scatter: bool = False, off_mm: Off = (0.0, 0.0), binning: int = 4) -> None:
    """A full turn about the phantom, reconstructed with the imager's flexmap, as a CT series of 2 mm slices."""
    config = load_imagers()
    if not scatter:
        panel = config.kv.panel.model_copy(update={"scatter_fraction": 0.0})
        config = config.model_copy(update={"kv": config.kv.model_copy(update={"panel": panel})})
    imager = KvImager(config.kv, BodyProjector(catphan()), HiddenPose(), SEED)
    seen = [Instant(0.1 * k, -180.0 + 360.0 * k / frames, CouchPose()) for k in range(frames)]
    technique = Technique(125.0, 60.0, 20.0)
    taken = imager.scan([KvShot(technique, _shifted(place, off_mm), place, binning, "sensitive") for place in seen], YES)
    images = np.stack([frame.integrals().T for frame in taken])
    volume = reconstruct(images, _flexed(taken, config), FULL)
    hu = _thick(hounsfield(volume, kv_spectrum(config.kv.tube, technique.kv).water_per_mm))
    out.mkdir(parents=True, exist_ok=True)
    for k, (_, data) in enumerate(cbct_series(hu, subject("catphan"), WHEN, "catphan")):
        (out / f"slice-{k + 1:03d}.dcm").write_bytes(data)


def _stiff_kv(config: ImagersConfig) -> ImagersConfig:
    """Arms that do not sag: single images carry no flexmap to undo it."""
    from device_models.imagers.config import STIFF

    return config.model_copy(update={"kv": config.kv.model_copy(update={"flex": STIFF})})


def _shifted(seen: Instant, off_mm: Off) -> Instant:
    """The truth: the panel stands off; source and panel share the slide along the couch, so that moves both."""
    source, detector, across, along = seen.kv_arms_mm
    return replace(seen, kv_arms_mm=(source, detector, across + off_mm[0], along + off_mm[1]))


def _flexed(taken: list[Frame], config: ImagersConfig) -> Frames:
    """Readbacks and the sag that was measured at commissioning."""
    told = [frame.metadata for frame in taken]
    sags = [sag(config.kv.flex, m.gantry_deg) for m in told]
    source = np.array([np.array(m.source_mm) + s[0] for m, s in zip(told, sags, strict=True)])
    panel = np.array([np.array(m.panel_mm) + s[1] for m, s in zip(told, sags, strict=True)])
    first = told[0]
    return Frames(Panel(first.columns, first.rows, first.pitch_mm, first.pitch_mm), np.array([m.source_angle_deg for m in told]),
                  source, panel)  # fmt: skip


def _thick(hu: Volume) -> Volume:
    """Slices of twice the thickness, where all of the cone was seen: 90 mm to both sides."""
    y = hu.axis_mm(1)
    first = int(np.searchsorted(y, -90.0))
    count = 2 * ((len(y) - 2 * first) // 2)
    kept = hu.data[:, :, first : first + count].reshape(*hu.data.shape[:2], count // 2, 2).mean(axis=3)
    x0, _, z0 = hu.origin_mm
    hx, hy, hz = hu.spacing_mm
    return Volume(np.ascontiguousarray(kept), (x0, float(y[first]) + 0.5 * hy, z0), (hx, 2.0 * hy, hz))


def _write_image(out: Path, k: int, frame: Frame) -> None:
    told = frame.metadata
    geometry = Frames(
        Panel(told.columns, told.rows, told.pitch_mm, told.pitch_mm), np.array([told.source_angle_deg]),
        np.array([told.source_mm]), np.array([told.panel_mm]),
    )
    made = Exposure(told.kind, told.kv or 6000.0, ms=told.ms, mu=told.mu, gantry_deg=told.gantry_deg, couch=CouchPosition())
    counts = np.ascontiguousarray(frame.pixels.T)
    _, data = rt_image(counts, geometry, 0, made, subject("ball"), WHEN, f"ball {k + 1}")
    out.mkdir(parents=True, exist_ok=True)
    (out / f"image-{k + 1:02d}.dcm").write_bytes(data)


def main() -> int:
    """See the module's first lines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("winston_lutz", "kv_ball", "catphan"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--ball", type=float, nargs=3, default=BALL_MM, metavar=("X", "Y", "Z"))
    parser.add_argument("--off", type=float, nargs=2, default=(0.0, 0.0), metavar=("ACROSS", "ALONG"))
    parser.add_argument("--frames", type=int, default=360)
    parser.add_argument("--scatter", action="store_true")
    asked = parser.parse_args()
    if asked.what == "catphan":
        catphan_scan(asked.out, asked.frames, asked.scatter, tuple(asked.off))
    else:
        (winston_lutz if asked.what == "winston_lutz" else kv_ball)(asked.out, tuple(asked.ball), tuple(asked.off))
    print(asked.out)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
