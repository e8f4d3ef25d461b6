"""A trunk with a spine: vertebrae of cortical and cancellous bone, canal and cord, lungs, organs, a lytic target. Invented.

The central vertebra stands where the made spine plans aim: its outline is that of their target, drawn round the cord.
"""

import math

import numpy as np

from device_models.interface.volume import Floats

from .chance import normals, uniforms
from .phantom import Phantom, Triple
from .primitives import ALONG_Y, ellipsoid, rod, sphere, table, tilted
from .structures import Structure, extruded, inset, sliced

PITCH_MM = 36.0  # from vertebra to vertebra
CANAL_Z_MM = -13.0
BODY_Z_MM = 9.5  # centre of the vertebral body
TRUNK_MM = (112.0, 88.0, 260.0)  # half axes across, front to back, half length
TRUNK_Z_MM = 32.0
MARGIN_MM = 2.0  # from CTV to PTV
SLICE_MM = 2.0  # between drawn planes
TARGET_MM = (  # X, Z of the vertebra round the cord, open to the back: the PTV, 44 mm long
    (-18, 10), (-14, 18), (-6, 22), (6, 22), (14, 18), (18, 10), (18, -2), (19, -12), (18, -22), (12, -24), (10.5, -18),
    (10.5, -10), (7, -4.5), (0, -3), (-7, -4.5), (-10.5, -10), (-10.5, -18), (-12, -24), (-18, -22), (-19, -12), (-18, -2),
)
CORD_MM = ((-6, -13), (-4.2, -8.8), (0, -7), (4.2, -8.8), (6, -13), (4.2, -17.2), (0, -19), (-4.2, -17.2))
FIDUCIALS_MM: dict[str, Triple] = {"marker 1": (-9.0, 12.0, 14.0), "marker 2": (10.0, -4.0, 6.0), "marker 3": (2.0, 9.0, 17.0)}


def spine(seed: int = 1, fiducials: bool = False, texture: int = 36) -> Phantom:
    """The phantom; `seed` varies texture and small differences between vertebrae, `texture` counts soft blobs."""
    rows = [*_trunk(), *_texture(seed, texture)]
    for level in range(-6, 7):
        rows += _vertebra(level, normals(seed, f"vertebra {level}", 6))
        rows += _ribs(level) if level >= 0 else []
    rows.append(ellipsoid((4.0, 0.0, 10.0), (12.0, 10.0, 10.0), -150.0))  # the lytic lesion
    markers = FIDUCIALS_MM if fiducials else {}
    rows += [sphere(where, 1.0, 30000.0) for where in markers.values()]  # gold
    return Phantom("spine", table(rows), ((-128.0, -128.0, -96.0), (128.0, 128.0, 160.0)), _structures(), markers)


def _structures() -> tuple[Structure, ...]:
    ptv = np.array(TARGET_MM, float)
    planes = np.arange(-22.0, 22.0 + 1e-9, SLICE_MM)
    inner = planes[np.abs(planes) <= 22.0 - MARGIN_MM + 1e-9]
    angles = np.arange(72) * (2.0 * np.pi / 72)
    skin = np.column_stack([TRUNK_MM[0] * np.cos(angles), TRUNK_Z_MM + TRUNK_MM[1] * np.sin(angles)])
    return (
        sliced((4.0, 0.0, 10.0), (12.0, 10.0, 10.0), planes, "GTV", "GTV"),
        extruded(inset(ptv, MARGIN_MM), inner, "CTV", "CTV"),
        extruded(ptv, planes, "PTV", "PTV"),
        extruded(np.array(CORD_MM, float), np.arange(-60.0, 60.0 + 1e-9, SLICE_MM), "Cord", "ORGAN"),
        extruded(skin, np.arange(-126.0, 126.0 + 1e-9, 4.0), "Body", "EXTERNAL"),
    )


def _trunk() -> list[list[float]]:
    """Body, lungs, organs, aorta, canal and cord; HU above what they lie in."""
    return [
        rod((0.0, 0.0, TRUNK_Z_MM), TRUNK_MM, 1020.0),
        ellipsoid((-56.0, 92.0, 64.0), (38.0, 95.0, 40.0), -720.0),
        ellipsoid((58.0, 98.0, 62.0), (34.0, 92.0, 38.0), -720.0),
        ellipsoid((-52.0, -62.0, 62.0), (44.0, 52.0, 44.0), 45.0),
        ellipsoid((66.0, -55.0, 54.0), (26.0, 38.0, 30.0), 40.0),
        rod((14.0, 0.0, 38.0), (9.0, 9.0, 260.0), 60.0),
        rod((0.0, 0.0, CANAL_Z_MM), (9.0, 8.5, 260.0), -25.0),
        rod((0.0, 0.0, CANAL_Z_MM), (6.0, 6.0, 260.0), 30.0),
    ]


def _vertebra(level: int, luck: Floats) -> list[list[float]]:
    """One vertebra; those lower down are larger, and the spine is a little curved."""
    y = PITCH_MM * level + 0.5 * luck[0] * (level != 0)
    size = 1.0 - 0.012 * level
    back = 0.0006 * y * y  # how far the curve lies in front of the middle
    turned = tilted(-0.25 * level, 1.5 * luck[1] * (level != 0), 1.5 * luck[2] * (level != 0))
    upright = turned @ ALONG_Y
    x, z = 0.4 * math.sin(1.3 * level), BODY_Z_MM + back
    rows = [
        rod((x, y, z), (17.5 * size, 12.0 * size, 15.0), 190.0 + 15.0 * luck[3], upright),  # cancellous
        rod((x, y, z), (18.5 * size, 13.0 * size, 14.0), 160.0, upright),  # with the cortical shell
        rod((x, y, z), (17.5 * size, 12.0 * size, 14.0), -160.0, upright),  # of 1 mm
        rod((x, y + 14.2, z), (18.0 * size, 12.5 * size, 1.0), 350.0, upright),  # end plates
        rod((x, y - 14.2, z), (18.0 * size, 12.5 * size, 1.0), 350.0, upright),
        ellipsoid((x, y - 6.0, z - 43.0), (3.2, 8.0, 14.0), 420.0 + 20.0 * luck[4], tilted(25.0, axes=turned)),  # spinous
    ]
    for side in (-1.0, 1.0):
        process = turned @ tilted(0.0, side * 12.0, side * 8.0)
        rows += [
            ellipsoid((x + side * 14.0 * size, y + 4.0, z - 20.0), (4.0, 7.0, 10.0), 480.0, turned),  # pedicle
            ellipsoid((x + side * 9.0, y - 1.0, z - 32.5), (9.0, 9.0, 3.2), 420.0, tilted(0.0, side * 25.0, axes=turned)),  # lamina
            ellipsoid((x + side * 33.0 * size, y + 2.0, z - 27.0), (16.0, 4.5, 4.5), 380.0, process),
        ]
    return rows


def _ribs(level: int) -> list[list[float]]:
    """Pieces along an arc on both sides, sloping down to the front."""
    rows = []
    for side in (-1.0, 1.0):
        for piece in range(6):
            angle = 25.0 + 27.0 * piece
            across, deep = math.sin(math.radians(angle)), math.cos(math.radians(angle))
            where = (side * 100.0 * across, PITCH_MM * level - 6.0 - 7.0 * piece, TRUNK_Z_MM - 76.0 * deep)
            axes = tilted(0.0, 0.0, -side * 12.0) @ tilted(0.0, -side * angle, 0.0)
            rows.append(ellipsoid(where, (14.0, 4.5, 3.2), 330.0, axes))
    return rows


def _texture(seed: int, count: int) -> list[list[float]]:
    """Soft blobs in front of the spine, so that soft tissue is not one number."""
    rows = []
    luck = normals(seed, "texture", count)
    for k in range(count):
        u = uniforms(seed, f"texture {k}", 9)
        turn, share = 2.0 * math.pi * u[0], math.sqrt(u[1]) * 0.9
        where = (TRUNK_MM[0] * share * math.cos(turn) * 0.9, 420.0 * (u[2] - 0.5), 46.0 + 66.0 * share * math.sin(turn))
        radii = (4.0 + 10.0 * u[3], 4.0 + 10.0 * u[4], 4.0 + 10.0 * u[5])
        rows.append(ellipsoid(where, radii, 60.0 * luck[k], tilted(180.0 * u[6], 90.0 * u[7], 180.0 * u[8])))
    return rows
