"""A patient for these tests whose images owe nothing to the code under test: closed-form rays through the moved spine."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from device_models.interface.volume import Pose, Volume
from device_models.patient.phantom import Phantom
from device_models.patient.rays import ray_integrals
from device_models.patient.spine import spine
from linac_ctl.imaging.clip import ClipBox
from linac_ctl.imaging.geometry import Frames, Panel, View, nominal
from linac_ctl.imaging.pose import IDENTITY, of_six
from linac_ctl.imaging.scatter import ScatterModel, scattered

WATER_PER_MM = 0.0200
SMALL = Panel(64, 48, 6.208, 6.208)  # CBCT of 64 x 48 pixels
MIDDLE = Panel(128, 96, 3.104, 3.104)
BOX = ClipBox((-60.0, -55.0, -40.0), (60.0, 55.0, 50.0))
TRUE_SCATTER = ScatterModel(1.0, 50.0)
ASSUMED_SCATTER = ScatterModel(0.8, 35.0)  # wrong on purpose


@cache
def phantom(fiducials: bool = False) -> Phantom:
    return spine(fiducials=fiducials)


def attenuation(hu: Volume) -> Volume:
    return hu.with_data(np.maximum(hu.data + 1000.0, 0.0) * (WATER_PER_MM / 1000.0))


@cache
def planning_ct(step_mm: float = 2.0, fiducials: bool = False) -> Volume:
    """Attenuation in 1/mm with the CT's own noise."""
    return attenuation(phantom(fiducials).sampled(step_mm, fine=3, noise_hu=12.0, seed=3))


def circle(count: int, panel: Panel = SMALL, offset_mm: float = 0.0, first_deg: float = 0.0, span_deg: float = 360.0) -> Frames:
    return nominal(panel, first_deg + np.arange(count) * span_deg / count, 1000.0, 1500.0, offset_mm)


def pair(panel: Panel = MIDDLE, first_deg: float = 0.0) -> tuple[View, View]:
    frames = nominal(panel, np.array([first_deg, first_deg + 90.0]), 1000.0, 1500.0)
    return frames.view(0), frames.view(1)


def radiograph(view: View, pose: Pose = IDENTITY, fiducials: bool = False, rays: int = 2) -> NDArray[np.float32]:
    """(columns, rows) exact line integrals of the patient at `pose`; a pixel is the mean of rays x rays intensities."""
    fine = View(view.source_mm, view.corner_mm - (1 - 1 / rays) / 2 * (view.du_mm + view.dv_mm), view.du_mm / rays,
                view.dv_mm / rays, view.columns * rays, view.rows * rays)  # fmt: skip
    back = pose.inverse()
    seen = [back.apply(fine.source_mm), back.apply(fine.corner_mm), back.matrix @ fine.du_mm, back.matrix @ fine.dv_mm]
    line = ray_integrals(phantom(fiducials).bodies, np.concatenate(seen), fine.columns, fine.rows) * (WATER_PER_MM / 1000.0)
    open_share = np.exp(-line).reshape(view.columns, rays, view.rows, rays).mean((1, 3))
    return -np.log(open_share).astype(np.float32)


def scan(frames: Frames, pose: Pose = IDENTITY, fiducials: bool = False, rays: int = 2) -> NDArray[np.float32]:
    return np.stack([radiograph(frames.view(k), pose, fiducials, rays) for k in range(len(frames))])


def detected(
    images: NDArray[np.float32], panel: Panel, seed: int, photons: float = 5e4, scatter: ScatterModel | None = TRUE_SCATTER
) -> NDArray[np.float32]:
    """(n, columns, rows) with scatter, photon noise (`photons` in a 0.776 mm pixel in air) and electronic noise."""
    open_share = np.exp(-images)
    if scatter is not None:
        open_share = open_share + scattered(images, panel, scatter)
    counts = open_share * photons * (panel.pitch_u_mm / 0.776) ** 2
    noise = np.random.Generator(np.random.Philox(seed)).standard_normal(counts.shape)
    noisy = np.maximum(counts + np.sqrt(counts + 25.0) * noise, 1.0)
    return (-np.log(noisy / (photons * (panel.pitch_u_mm / 0.776) ** 2))).astype(np.float32)


def random_pose(seed: int, most_mm: float = 15.0, most_deg: float = 3.0) -> Pose:
    u = np.random.Generator(np.random.Philox(seed)).uniform(-1, 1, 6)
    return of_six((*(u[:3] * most_mm), *(u[3:] * most_deg)))


