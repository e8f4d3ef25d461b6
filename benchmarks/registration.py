"""How well and how fast matches are: random set-up errors, closed-form patients, noise, scatter assumed wrong on purpose.

    python benchmarks/registration.py lite|quick|full|pair [--errors N] [--photons P] [--ratio R] [--most MM DEG]
                                                           [--length LOW HIGH] [--ct MM] [--csv FILE]

Prints one row: errors (mean, 95 %, worst), refusals, silent failures (accepted but more than 1 mm off), and times; --csv keeps
every error as a line. The images come from closed-form rays, not from a projector; the controller assumes 0.8 of the true scatter
ratio, 35 mm wide instead of 50.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from linac_ctl.imaging.fdk import FULL, LITE, QUICK, reconstruct
from linac_ctl.imaging.fit import USUAL, complaints
from linac_ctl.imaging.geometry import Panel
from linac_ctl.imaging.pose import Pose, distance, turn_deg
from linac_ctl.imaging.reference import matched_reference
from linac_ctl.imaging.register_pair import PairMatcher, Radiograph
from linac_ctl.imaging.register_volume import PointMatcher
from linac_ctl.imaging.scatter import ScatterModel
from linac_ctl.imaging.volume import Volume
from tests.imaging.patient import BOX, MIDDLE, SMALL, circle, detected, pair, planning_ct, radiograph, random_pose, scan

FINE = Panel(256, 192, 1.552, 1.552)
SCANS = {"lite": (60, SMALL, LITE), "quick": (90, MIDDLE, QUICK), "full": (360, FINE, FULL)}


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """(result, seconds)."""
    start = time.perf_counter()
    result = call()
    return result, time.perf_counter() - start


def cbct_runner(mode: str, ct: Volume, photons: float, true: ScatterModel, assumed: ScatterModel) -> Callable[..., Any]:
    """seed, pose -> (fit, seconds of each stage)."""
    count, panel, how = SCANS[mode]
    frames = circle(count, panel)
    reference, seconds = timed(lambda: matched_reference(ct, frames, how, assumed))
    matcher, tables = timed(lambda: PointMatcher(reference, BOX))
    print(f"per plan: reference {seconds:.2f} s, tables {tables:.2f} s (with compilation when the cache is cold)")

    def run(seed: int, pose: Any) -> Any:
        images = detected(scan(frames, pose, rays=1 if mode == "full" else 2), panel, seed, photons, true)
        volume, fdk = timed(lambda: reconstruct(images, frames, how))
        fit, match = timed(lambda: matcher(volume))
        return fit, {"FDK": fdk, "match": match}

    return run


def pair_runner(ct: Volume, photons: float, true: ScatterModel, assumed: ScatterModel) -> Callable[..., Any]:
    """seed, pose -> (fit, seconds)."""
    panel = Panel(256, 192, 1.552, 1.552)
    views, matcher = pair(panel), PairMatcher(ct, scatter=assumed)

    def run(seed: int, pose: Any) -> Any:
        images = [detected(radiograph(v, pose)[None], panel, 2 * seed + k, photons, true)[0] for k, v in enumerate(views)]
        shots = [Radiograph(image, view) for image, view in zip(images, views, strict=True)]
        fit, match = timed(lambda: matcher(shots))
        return fit, {"match": match}

    return run


def main() -> None:
    """One row of the table."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("mode", choices=[*SCANS, "pair"])
    ask.add_argument("--errors", type=int, default=50)
    ask.add_argument("--photons", type=float, default=5e4)
    ask.add_argument("--ratio", type=float, default=1.0, help="true scatter-to-primary ratio behind the thickest part")
    ask.add_argument("--length", type=float, nargs=2, metavar=("LOW", "HIGH"), help="of the shift, mm, in any direction")
    ask.add_argument("--ct", type=float, default=2.0, help="voxels of the planning CT, mm")
    ask.add_argument("--csv", type=Path)
    ask.add_argument("--most", type=float, nargs=2, default=(15.0, 3.0), metavar=("MM", "DEG"))
    asked = ask.parse_args()
    true, assumed = ScatterModel(asked.ratio, 50.0), ScatterModel(0.8 * asked.ratio, 35.0)
    given = (planning_ct(asked.ct), asked.photons, true, assumed)
    run = pair_runner(*given) if asked.mode == "pair" else cbct_runner(asked.mode, *given)
    off, refused, silent, needless, times = [], 0, 0, 0, []
    run(999, random_pose(999))  # compiles, warms up
    for seed in range(100, 100 + asked.errors):
        pose = random_pose(seed, *asked.most)
        pose = pose if asked.length is None else of_length(pose, *asked.length, seed)
        fit, seconds = run(seed, pose)
        mm, deg = distance(fit.pose, pose)
        wrong = complaints(fit)
        refused += bool(wrong)
        silent += not wrong and mm > 1.0
        needless += bool(wrong) and mm <= 1.0 and within_reach(pose)
        times.append(seconds)
        if not wrong:
            off.append((mm, deg))
        if asked.csv:
            keep(asked.csv, seed, pose, mm, deg, wrong, seconds)
    report(asked, np.array(off).reshape(-1, 2), (refused, needless, silent), times)


def of_length(pose: Pose, low_mm: float, high_mm: float, seed: int) -> Pose:
    """The same direction and turn, a length between these."""
    length = np.random.Generator(np.random.Philox(seed + 1_000_000)).uniform(low_mm, high_mm)
    x, y, z = (float(v) * length / pose.shift_mm for v in pose.t_mm)
    return Pose((x, y, z), pose.r_deg)


def keep(path: Path, seed: int, pose: Pose, mm: float, deg: float, wrong: Any, seconds: dict[str, float]) -> None:
    """One line: seed, true shift, error, complaints, times."""
    with path.open("a", encoding="utf-8") as file:
        times = ",".join(f"{t:.4f}" for t in seconds.values())
        file.write(f"{seed},{pose.shift_mm:.3f},{mm:.4f},{deg:.4f},{'; '.join(wrong).replace(',', ' ')},{times}\n")


def within_reach(pose: Any) -> bool:
    """Whether the true error is one that a match may report."""
    return bool(pose.shift_mm <= USUAL.reach_mm and turn_deg(pose.matrix) <= USUAL.reach_deg)


def report(asked: Any, off: Any, counts: tuple[int, int, int], times: list[dict[str, float]]) -> None:
    """Prints the row."""
    mm, deg = asked.most
    size = f"to {mm:g} mm" if asked.length is None else "of {:g} to {:g} mm".format(*asked.length)
    print(f"{asked.mode}: {asked.errors} errors {size} / {deg:g} deg, {asked.photons:g} photons, SPR {asked.ratio:g}")
    for name, values in zip(("mm", "deg"), off.T, strict=True):
        if len(values):
            print(f"  {name:4s} mean {values.mean():.3f}  95 % {np.quantile(values, 0.95):.3f}  worst {values.max():.3f}")
    print("  refused {}, of these right and within reach {}; accepted but more than 1 mm off {}".format(*counts))
    for name in times[0]:
        values = np.array([t[name] for t in times])
        print(f"  {name:6s} {1e3 * np.median(values):.0f} ms median, {1e3 * values.min():.0f} ms best")


if __name__ == "__main__":
    main()
