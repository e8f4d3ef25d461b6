"""Phantoms of machine QA: a ball for Winston-Lutz, a water cylinder, and one with the modules of a CatPhan 504."""

import math

import numpy as np

from .phantom import Phantom, Triple
from .primitives import ALONG_Y, rod, sphere, table, tilted
from .structures import sliced

PLASTIC_HU = 90.0
CTP404_Y_MM = 17.5  # plane of the sensitometry module; the others lie -65, -30 and +30 mm from it
INSERTS = (  # angle in a transverse image (rows to the back) and HU: nominal values of the maker's manual
    (-90.0, -1000.0), (90.0, -1000.0), (-120.0, -196.0), (180.0, -104.0), (120.0, -47.0), (60.0, 115.0), (0.0, 365.0),
    (-60.0, 1000.0),
)
BAR_MM = (5.0, 2.5, 1.67, 1.25, 1.0, 0.83, 0.71, 0.63)  # width of one bar: 1 to 8 line pairs per cm
BARS = (2, 3, 4, 4, 4, 5, 5, 5)
GROUP_ENDS = (0.0, 0.107, 0.173, 0.236, 0.286, 0.335, 0.387, 0.434, 0.479)  # of one turn
LOW_CONTRAST = ((-87.4, 7.5), (-69.1, 4.5), (-52.7, 4.0), (-38.5, 3.5), (-25.1, 3.0), (-12.9, 2.5))  # angle, radius mm


def ball(offset_mm: Triple = (0.0, 0.0, 0.0), diameter_mm: float = 8.0, cube_mm: float = 60.0, ball_hu: float = 30000.0) -> Phantom:
    """A tungsten ball in a plastic drum about the origin; `offset_mm` is the error that a Winston-Lutz test has to find."""
    half = 0.5 * cube_mm
    rows = [rod((0.0, 0.0, 0.0), (half, half, half), 1000.0 + PLASTIC_HU), sphere(offset_mm, 0.5 * diameter_mm, ball_hu)]
    reach = half + 4.0
    target = sliced(offset_mm, (diameter_mm / 2,) * 3, np.arange(-reach, reach, 0.5), "Ball", "GTV")
    return Phantom("ball", table(rows), ((-reach, -reach, -reach), (reach, reach, reach)), (target,), {"ball": offset_mm})


def water(radius_mm: float = 100.0, length_mm: float = 200.0) -> Phantom:
    """A cylinder of water along Y."""
    edge, end = radius_mm + 8.0, 0.5 * length_mm + 8.0
    body = rod((0.0, 0.0, 0.0), (radius_mm, radius_mm, 0.5 * length_mm), 1000.0)
    return Phantom("water", table([body]), ((-edge, -end, -edge), (edge, end, edge)))


def catphan() -> Phantom:
    """Sensitometry, slice wires and 50 mm nodes, line pairs, low contrast and a uniform part in a drum of 200 mm."""
    rows = [rod((0.0, 0.0, 0.0), (100.0, 100.0, 115.0), 1010.0), *_sensitometry(), *_line_pairs(), *_low_contrast()]
    nodes: dict[str, Triple] = {
        f"node {k}": (x, CTP404_Y_MM, z) for k, (x, z) in enumerate(((-25.0, 25.0), (25.0, 25.0), (-25.0, -25.0), (25.0, -25.0)), 1)
    }
    return Phantom("catphan", table(rows), ((-108.0, -100.0, -108.0), (108.0, 100.0, 108.0)), (), nodes)


def _place(angle_deg: float, radius_mm: float) -> tuple[float, float]:
    """X, Z of an angle as an image shows it: rows run to the back, so angles turn the other way."""
    return radius_mm * math.cos(math.radians(angle_deg)), -radius_mm * math.sin(math.radians(angle_deg))


def _sensitometry() -> list[list[float]]:
    """CTP404: inserts, four 3 mm nodes 50 mm apart, four wires at 23 deg for the slice thickness."""
    rows = [rod((0.0, CTP404_Y_MM, 0.0), (75.0, 75.0, 12.0), PLASTIC_HU)]
    for angle, hu in INSERTS:
        x, z = _place(angle, 58.7)
        rows.append(rod((x, CTP404_Y_MM, z), (6.1, 6.1, 12.0), hu - 100.0))
    for x, z, hu in ((-25.0, 25.0, -1000.0), (25.0, 25.0, -1000.0), (-25.0, -25.0, -1000.0), (25.0, -25.0, 1000.0)):
        rows.append(rod((x, CTP404_Y_MM, z), (1.5, 1.5, 12.0), hu - 100.0))
    for angle in (0.0, 90.0, 180.0, -90.0):
        x, z = _place(angle, 38.0)
        axes = tilted(x_deg=-67.0, axes=ALONG_Y) if angle in (0.0, 180.0) else tilted(z_deg=-67.0, axes=ALONG_Y)
        rows.append(rod((x, CTP404_Y_MM, z), (0.35, 0.35, 21.0), 5000.0, axes))
    return rows


def _line_pairs() -> list[list[float]]:
    """CTP528: groups of aluminium bars on a circle of 47 mm."""
    rows = []
    for k, (count, width) in enumerate(zip(BARS, BAR_MM, strict=True)):
        middle = 0.5 * (GROUP_ENDS[k] + GROUP_ENDS[k + 1])
        for j in range(count):
            turn = middle + (j - 0.5 * (count - 1)) * 2.0 * width / (2.0 * math.pi * 47.0)
            angle = math.pi - 2.0 * math.pi * turn
            across = np.array([math.sin(angle), 0.0, math.cos(angle)])
            out = np.array([math.cos(angle), 0.0, -math.sin(angle)])
            axes = np.stack([across, out, np.cross(across, out)], axis=1)
            rows.append(rod((47.0 * out[0], CTP404_Y_MM + 30.0, 47.0 * out[2]), (0.5 * width, 5.0, 10.0), 1800.0, axes))
    return rows


def _low_contrast() -> list[list[float]]:
    """CTP515: discs of 12 HU."""
    rows = []
    for angle, radius in LOW_CONTRAST:
        x, z = _place(angle, 50.0)
        rows.append(rod((x, CTP404_Y_MM - 30.0, z), (radius, radius, 12.0), 12.0))
    return rows
