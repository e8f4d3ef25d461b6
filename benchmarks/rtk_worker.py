"""RTK's side of a comparison, in an interpreter of its own that has itk-rtk: one JSON job a line in, one JSON answer a line out.

Axes: an image of ours [x, z, y] becomes ITK's array [y, z, x] in axes X, Z, Y -> RTK's own fixed frame, which is IEC 61217.
"""

import json
import sys
import time

import itk
import numpy as np
from itk import RTK as rtk

itk.MultiThreaderBase.SetGlobalDefaultNumberOfThreads(2)
Image = itk.Image[itk.F, 3]


def image_of(array, spacing, origin):
    """itk image of [z, y, x]."""
    image = itk.image_from_array(np.ascontiguousarray(array))
    image.SetSpacing([float(v) for v in spacing])
    image.SetOrigin([float(v) for v in origin])
    return image


class Worker:
    """Keeps what was loaded, so that only the computation is timed."""

    def volume(self, job):
        """A file with data [ix, iz, iy], spacing and origin along X Y Z."""
        given = np.load(job["file"])
        self.volume_image = image_of(given["data"].transpose(1, 2, 0), given["spacing"], given["origin"])  # [z, y, x]
        return {}

    def project(self, job):
        """One view: twelve numbers, columns, rows."""
        source, corner, du, dv = np.array(job["twelve"]).reshape(4, 3)
        columns, rows = job["columns"], job["rows"]
        pitch = [float(np.linalg.norm(du)), float(np.linalg.norm(dv))]
        centre = corner + 0.5 * (columns - 1) * du + 0.5 * (rows - 1) * dv
        geometry = rtk.ThreeDCircularProjectionGeometry.New()
        if not geometry.AddProjection(*(v.tolist() for v in (source, centre, du / pitch[0], dv / pitch[1]))):
            raise ValueError("RTK refuses this view")
        start = time.perf_counter()
        empty = rtk.ConstantImageSource[Image].New(
            Origin=[-0.5 * (columns - 1) * pitch[0], -0.5 * (rows - 1) * pitch[1], 0], Spacing=[*pitch, 1],
            Size=[columns, rows, 1], Constant=0.0,
        )
        project = rtk.JosephForwardProjectionImageFilter[Image, Image].New()
        project.SetGeometry(geometry)
        project.SetInput(empty.GetOutput())
        project.SetInput(1, self.volume_image)
        project.Update()
        seconds = time.perf_counter() - start
        np.save(job["out"], itk.array_from_image(project.GetOutput())[0].T)
        return {"seconds": seconds}

    def scan(self, job):
        """A file with images [frame, column, row]; angles in deg, pitch, source and panel distances in mm."""
        images = np.load(job["file"])
        pitch = job["pitch_mm"]
        origin = [-0.5 * (images.shape[1] - 1) * pitch, -0.5 * (images.shape[2] - 1) * pitch, 0.0]
        self.projections = image_of(images.transpose(0, 2, 1), [pitch, pitch, 1.0], origin)
        self.geometry = rtk.ThreeDCircularProjectionGeometry.New()
        for angle in job["angles_deg"]:
            self.geometry.AddProjection(job["sad_mm"], job["sid_mm"], angle)
        return {}

    def fdk(self, job):
        """Onto a cube of `count` voxels of `step_mm` about the isocentre."""
        count, step = job["count"], job["step_mm"]
        start = time.perf_counter()
        empty = rtk.ConstantImageSource[Image].New(
            Origin=[-0.5 * (count - 1) * step] * 3, Spacing=[step] * 3, Size=[count] * 3, Constant=0.0
        )
        images = self.projections
        if job["short"]:
            parker = rtk.ParkerShortScanImageFilter[Image].New()
            parker.SetInput(images)
            parker.SetGeometry(self.geometry)
            parker.InPlaceOff()  # or the next run would weight twice
            images = parker.GetOutput()
        fdk = rtk.FDKConeBeamReconstructionFilter[Image].New()
        fdk.SetGeometry(self.geometry)
        fdk.SetInput(0, empty.GetOutput())
        fdk.SetInput(1, images)
        fdk.GetRampFilter().SetHannCutFrequency(job["hann"])
        fdk.Update()
        seconds = time.perf_counter() - start
        np.save(job["out"], itk.array_from_image(fdk.GetOutput()).transpose(2, 0, 1))
        return {"seconds": seconds}


def main():
    """Until the input ends."""
    worker = Worker()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        print(json.dumps(getattr(worker, job.pop("job"))(job)), flush=True)


if __name__ == "__main__":
    main()
