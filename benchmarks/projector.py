"""One frame of 512 x 384 pixels at many poses: time, and error against exact rays and against RTK's Joseph projector.

RTK gets the same volume, source and panel, two threads as ours, in turns with ours; the fastest of several runs of each counts.
"""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.measure import Row
from benchmarks.rtk import VARIABLE, Rtk, installed
from device_models.imagers.attenuation import Spectrum, attenuation
from device_models.imagers.projector import VoxelProjector
from device_models.imagers.views import View, view_of
from device_models.interface.volume import Pixels, Pose, grid
from device_models.patient.raster import rasterised
from device_models.patient.spine import spine

WATER = Spectrum(0.02, 1.0)
SHAPE = (512, 384, 0.776)
POSES = {
    "straight": Pose((3.0, -4.0, 5.0)), "tilted 3 deg": Pose((3.0, -4.0, 5.0), (3.0, -2.0, 2.5)),
    "couch 45": Pose((2.0, 3.0, 0.0), (0.0, 0.0, 45.0)), "couch 45, 3 deg": Pose((2.0, 3.0, 0.0), (3.0, -3.0, 45.0)),
    "couch 90": Pose((2.0, 3.0, 0.0), (0.0, 0.0, 90.0)), "couch -60, 3 deg": Pose((2.0, 3.0, 0.0), (-3.0, 3.0, -60.0)),
}
ANGLES = (0.0, 33.0, 90.0, -135.0)
REPEAT = 5


@dataclass(frozen=True)
class Case:
    """One view of one pose, by us and perhaps by RTK."""

    count: int
    pose: str
    angle: float
    ours_s: float
    cpu_s: float
    rtk_s: float | None
    correlation: float | None

    def row(self) -> Row:
        """Of the table."""
        note = "" if self.rtk_s is None else f"RTK {1e3 * self.rtk_s:.0f} ms, correlation {self.correlation:.5f}"
        ratio = None if self.rtk_s is None else self.rtk_s / self.ours_s
        name = f"{self.count}^3, {self.pose}, gantry {self.angle:g}"
        goal = "< 100 ms; x4, goal x10"
        note = f"processor {1e3 * self.cpu_s:.0f} ms; {note}".rstrip("; ")
        return Row(name, 1e3 * self.ours_s, f"ms = RTK / {ratio:.1f}" if ratio else "ms", goal, note)


def rows() -> list[Row]:
    """Every pose at every angle, then the worst ones."""
    found: list[Case] = []
    python = installed()
    with tempfile.TemporaryDirectory() as folder:
        rtk = Rtk(python) if python else None
        for count in (128, 256):
            hu = rasterised(spine().bodies, grid((count,) * 3, (256.0 / count,) * 3, (0.0, 0.0, 32.0)))
            projector = VoxelProjector((hu,))
            if rtk:
                file = f"{folder}/volume.npz"
                np.savez(file, data=attenuation(hu.data, WATER), spacing=hu.spacing_mm, origin=hu.origin_mm)
                rtk.ask("volume", file=file)
            found += [_case(projector, rtk, Path(folder), count, pose, angle) for pose in POSES for angle in ANGLES]
        if rtk:
            rtk.__exit__(None, None, None)
    return [case.row() for case in found] + _worst(found)


def _case(projector: VoxelProjector, rtk: Rtk | None, folder: Path, count: int, pose: str, angle: float) -> Case:
    view = view_of(angle, np.array([0.0, 0.0, 1000.0]), np.array([0.0, 0.0, -500.0]), 0.0, SHAPE)
    ours, cpu, theirs, out = float("inf"), float("inf"), float("inf"), str(folder / "image.npy")
    image = _frame(projector, view, POSES[pose])  # the first lays the volume down, once in a session
    seen = view.seen_from(POSES[pose])
    for _ in range(REPEAT):
        projector._turned = None  # every run as for a rotation that was not seen before
        start, busy = time.perf_counter(), time.process_time()
        image = _frame(projector, view, POSES[pose])
        ours, cpu = min(ours, time.perf_counter() - start), min(cpu, time.process_time() - busy)
        if rtk:
            said = rtk.ask("project", twelve=seen.twelve.tolist(), columns=view.columns, rows=view.rows, out=out)
            theirs = min(theirs, said["seconds"])
    if rtk is None:
        return Case(count, pose, angle, ours, cpu, None, None)
    return Case(count, pose, angle, ours, cpu, theirs, float(np.corrcoef(np.load(out).ravel(), image.ravel())[0, 1]))


def _frame(projector: VoxelProjector, view: View, pose: Pose) -> Pixels:
    image: Pixels = projector.integrals([view], [pose], WATER)[0]
    return image


def _worst(cases: list[Case]) -> list[Row]:
    """Over all poses and angles."""
    found = []
    for count in sorted({case.count for case in cases}):
        mine = [case for case in cases if case.count == count]
        found.append(Row(f"{count}^3, slowest", 1e3 * max(case.ours_s for case in mine), "ms", "< 100"))
        ratios = sorted(case.rtk_s / case.ours_s for case in mine if case.rtk_s)
        if not ratios:
            found.append(Row(f"{count}^3 against RTK", None, "", ">= 4, goal 10", f"{VARIABLE} names no Python with itk-rtk"))
            continue
        least = min(case.correlation or 0.0 for case in mine)
        found.append(Row(f"{count}^3, RTK over ours, least", ratios[0], "", ">= 4, goal 10", f"correlation {least:.5f} at least"))
        middle, note = ratios[len(ratios) // 2], f"most {ratios[-1]:.1f}"
        found.append(Row(f"{count}^3, RTK over ours, median", middle, "", ">= 4, goal 10", note))
    return found
