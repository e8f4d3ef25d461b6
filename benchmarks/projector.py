"""Time and error of the projectors against exact line integrals, and against RTK's Joseph projector where it is installed.

usage: python benchmarks/projector.py [--rtk PYTHON] [--repeat N]

PYTHON is the interpreter of an environment of its own that has itk-rtk; it gets the same volume and the same geometry.
Every figure is the fastest of N runs: what other programs take from the machine only ever adds.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SIZE = (512, 384, 0.776)
ANGLES = (0.0, 33.0, 90.0)
SAD, PANEL = 1000.0, -500.0

RTK = """
import sys, time, numpy as np, itk
from itk import RTK as rtk
folder, repeat = sys.argv[1], int(sys.argv[2])
itk.MultiThreaderBase.SetGlobalDefaultNumberOfThreads(2)
Image = itk.Image[itk.F, 3]
nu, nv, pitch = {size}
for n in (128, 256):
    given = np.load(f"{{folder}}/volume{{n}}.npz")
    volume = itk.image_from_array(np.ascontiguousarray(given["data"].transpose(1, 2, 0)))
    volume.SetSpacing(given["spacing"].tolist())
    volume.SetOrigin(given["origin"].tolist())
    for angle in {angles}:
        geometry = rtk.ThreeDCircularProjectionGeometry.New()
        geometry.AddProjection({sad}, {sdd}, angle)
        best = 1e9
        for _ in range(repeat):
            start = time.perf_counter()
            empty = rtk.ConstantImageSource[Image].New(
                Origin=[-(nu - 1) / 2 * pitch, -(nv - 1) / 2 * pitch, 0], Spacing=[pitch, pitch, 1], Size=[nu, nv, 1], Constant=0.0)
            project = rtk.JosephForwardProjectionImageFilter[Image, Image].New()
            project.SetGeometry(geometry)
            project.SetInput(empty.GetOutput())
            project.SetInput(1, volume)
            project.Update()
            best = min(best, time.perf_counter() - start)
        np.savez(f"{{folder}}/rtk{{n}}_{{angle:g}}.npz", image=itk.array_from_image(project.GetOutput())[0], seconds=best)
"""


def fastest(job, repeat):
    """Seconds of the fastest run, and what it gave."""
    found = job()
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        found = job()
        best = min(best, time.perf_counter() - start)
    return best, found


def line(name, n, angle, seconds, image, truth):
    """One row of the table."""
    there = truth > 0.2
    off = (image - truth)[there]
    correlation = np.corrcoef(image.ravel(), truth.ravel())[0, 1]
    print(f"{name:16s} {n}^3 {angle:5.0f} deg {1e3 * seconds:8.1f} ms   rms {np.sqrt((off**2).mean()):.4f} bias {off.mean():+.4f} "
          f"corr {correlation:.5f}", flush=True)


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rtk", help="python of an environment with itk-rtk")
    parser.add_argument("--repeat", type=int, default=7)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from device_models.imagers.aligned import project_aligned
    from device_models.imagers.attenuation import Spectrum, attenuation
    from device_models.imagers.joseph import project_any
    from device_models.imagers.projector import BodyProjector
    from device_models.imagers.views import view_of
    from device_models.interface.volume import Pose, grid
    from device_models.patient.raster import rasterised
    from device_models.patient.spine import spine

    phantom, water = spine(), Spectrum(0.02, 1.0)
    volumes = {}
    for n in (128, 256):
        hu = rasterised(phantom.bodies, grid((n, n, n), (256.0 / n,) * 3, (0.0, 0.0, 32.0)))
        volumes[n] = hu.with_data(attenuation(hu.data, water))
    views = {angle: view_of(angle, np.array([0.0, 0.0, SAD]), np.array([0.0, 0.0, PANEL]), 0.0, SIZE) for angle in ANGLES}
    truths = {angle: BodyProjector(phantom).integrals([view], [Pose()], water)[0] for angle, view in views.items()}
    ours = {}
    for n, volume in volumes.items():
        for angle, view in views.items():
            table = view.twelve[None]
            for name, job in (("aligned", project_aligned), ("any pose", project_any)):
                seconds, images = fastest(lambda job=job, v=volume, t=table: job(v, t, *SIZE[:2]), options.repeat)
                ours[name, n, angle] = seconds, images[0]
                line(name, n, angle, seconds, images[0], truths[angle])
    if options.rtk:
        against_rtk(options, volumes, truths, ours)


def against_rtk(options, volumes, truths, ours):
    """The same volumes through RTK in its own process."""
    with tempfile.TemporaryDirectory() as folder:
        for n, volume in volumes.items():
            np.savez(f"{folder}/volume{n}.npz", data=volume.data, spacing=volume.spacing_mm, origin=volume.origin_mm)
        script = RTK.format(size=SIZE, angles=ANGLES, sad=SAD, sdd=SAD - PANEL)
        subprocess.run([options.rtk, "-c", script, folder, str(options.repeat)], check=True)
        for (name, n, angle), (seconds, image) in ours.items():
            given = np.load(f"{folder}/rtk{n}_{angle:g}.npz")
            theirs, correlation = float(given["seconds"]), np.corrcoef(given["image"].T.ravel(), image.ravel())[0, 1]
            if name == "aligned":
                line("RTK Joseph", n, angle, theirs, given["image"].T, truths[angle])
            ratio = theirs / seconds
            print(f"  {name:10s} {n}^3 {angle:3.0f} deg: {ratio:5.1f} times faster than RTK, correlation {correlation:.6f}")


if __name__ == "__main__":
    main()
