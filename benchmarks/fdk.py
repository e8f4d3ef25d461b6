"""Cone-beam reconstruction of exact projections: time, and error against the truth, ours and RTK's in turns.

Same projections, grid, Hann window and two threads; the fastest of several runs counts, and the clip box about the spine is
where the error is taken. RTK weights a short scan with its own Parker filter.
"""

import tempfile
import time
from dataclasses import dataclass

import numpy as np

from benchmarks.measure import Row
from benchmarks.rtk import VARIABLE, Rtk, installed
from device_models.interface.volume import Volume
from device_models.patient.raster import rasterised
from device_models.patient.rays import ray_integrals
from device_models.patient.spine import spine
from linac_ctl.imaging.fdk import FULL, QUICK, Reconstruction, reconstruct
from linac_ctl.imaging.geometry import Frames, Panel, nominal
from linac_ctl.imaging.volume import cube

PER_HU = 2e-5  # 1/mm: water 0.02 per mm
BOX_MM = ((-40.0, 40.0), (-50.0, 50.0), (-60.0, 20.0))
SAD, SID = 1000.0, 1500.0
WIDTH_MM = 397.3  # of the panel


@dataclass(frozen=True)
class Scan:
    """One reconstruction; `limit_s` as asked for."""

    frames: int
    columns: int
    rows: int
    how: Reconstruction
    limit_s: float | None = None
    span_deg: float = 360.0
    repeat: int = 3

    @property
    def name(self) -> str:
        """For the table."""
        return f"{self.frames} x {self.columns}x{self.rows} over {self.span_deg:g} deg -> {self.how.count}^3"

    def geometry(self) -> Frames:
        """Nominal frames, none twice."""
        short = self.span_deg < 360.0
        angles = np.linspace(0.0, self.span_deg, self.frames, endpoint=short) - (90.0 if short else 0.0)
        pitch = WIDTH_MM / self.columns
        return nominal(Panel(self.columns, self.rows, pitch, pitch), angles, SAD, SID)


SCANS = (
    Scan(90, 128, 96, QUICK, 0.5, repeat=7), Scan(90, 256, 192, QUICK, 0.5, repeat=5),
    Scan(101, 128, 96, QUICK, 0.5, 200.0, repeat=7), Scan(360, 256, 192, FULL, 4.0), Scan(201, 256, 192, FULL, 4.0, 200.0),
)  # fmt: skip


def rows() -> list[Row]:
    """One line per scan for time, ratio and errors."""
    python, found = installed(), []
    with tempfile.TemporaryDirectory() as folder:
        rtk = Rtk(python) if python else None
        for scan in SCANS:
            found += _rows(scan, rtk, folder)
        if rtk:
            rtk.__exit__(None, None, None)
    return found


def _rows(scan: Scan, rtk: Rtk | None, folder: str) -> list[Row]:
    frames = scan.geometry()
    images, truth = _exact(frames), rasterised(spine().bodies, cube(scan.how.count, scan.how.step_mm))
    if rtk:
        np.save(f"{folder}/images.npy", images)
        place = {"pitch_mm": frames.panel.pitch_u_mm, "sad_mm": SAD, "sid_mm": SID, "angles_deg": frames.angle_deg.tolist()}
        rtk.ask("scan", file=f"{folder}/images.npy", **place)
    ours_s, cpu_s, rtk_s = float("inf"), float("inf"), float("inf")
    volume = reconstruct(images, frames, scan.how)
    for _ in range(scan.repeat):
        start, busy = time.perf_counter(), time.process_time()
        volume = reconstruct(images, frames, scan.how)
        ours_s, cpu_s = min(ours_s, time.perf_counter() - start), min(cpu_s, time.process_time() - busy)
        if rtk:
            grid = {"count": scan.how.count, "step_mm": scan.how.step_mm, "short": scan.span_deg < 360.0, "hann": scan.how.window}
            rtk_s = min(rtk_s, rtk.ask("fdk", out=f"{folder}/volume.npy", **grid)["seconds"])
    goal = f"< {scan.limit_s:g} s" if scan.limit_s else ""
    first = Row(scan.name, ours_s, "s", goal, f"rms {_rms_hu(volume.data, truth):.1f} HU in the clip box; processor {cpu_s:.2f} s")
    if rtk is None:
        return [first, Row("  RTK over ours", None, "", ">= 3, goal 10", f"{VARIABLE} names no Python with itk-rtk")]
    theirs = _rms_hu(np.load(f"{folder}/volume.npy"), truth)
    return [first, Row("  RTK over ours", rtk_s / ours_s, "", ">= 3, goal 10", f"RTK {rtk_s:.2f} s, rms {theirs:.1f} HU")]


def _exact(frames: Frames) -> np.ndarray:
    """(n, columns, rows) line integrals of the bodies."""
    views, bodies = [frames.view(k) for k in range(len(frames))], spine().bodies
    lines = [
        ray_integrals(bodies, np.concatenate([v.source_mm, v.corner_mm, v.du_mm, v.dv_mm]), v.columns, v.rows) for v in views
    ]  # fmt: skip
    return np.array(lines, np.float32) * np.float32(PER_HU)


def _rms_hu(attenuation: np.ndarray, truth: Volume) -> float:
    """Within the clip box."""
    x, y, z = (slice(*np.searchsorted(truth.axis_mm(k), BOX_MM[k])) for k in range(3))
    off = attenuation[x, z, y] / PER_HU - 1000.0 - truth.data[x, z, y]
    return float(np.sqrt((off.astype(float) ** 2).mean()))
