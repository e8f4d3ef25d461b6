"""What a planner drew: closed planar contours in transverse planes. Frame P, mm."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from device_models.interface.volume import Floats, Volume

from .errors import PatientError

TARGETS = ("GTV", "CTV", "PTV")  # DICOM RTROIInterpretedType of what is to be hit
LARGEST_GAP_MM = 6.0  # how thick a structure of one plane is
SAME_PLANE_MM = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """One region of interest. A contour is closed from its last point to its first, and stands in one plane of Y."""

    name: str
    kind: str  # DICOM RTROIInterpretedType: GTV CTV PTV ORGAN AVOIDANCE EXTERNAL MARKER
    contours: tuple[Floats, ...]  # each (n, 3) mm, ascending Y

    @property
    def points(self) -> Floats:
        """(m, 3) mm, all of them."""
        return np.vstack(self.contours)

    @property
    def planes_mm(self) -> tuple[float, ...]:
        """Y of every plane, once, ascending."""
        return tuple(sorted({round(float(contour[0, 1]), 3) for contour in self.contours}))

    def centroid(self) -> Floats:
        """(3,) mm: centre of the volume between the contours; holes count negative by the sense of turning only if drawn so."""
        parts = [(abs(area), centre) for area, centre in map(area_and_centre, self.contours)]
        total = sum(area for area, _ in parts)
        if not total > 0.0:
            raise PatientError(f"structure {self.name}: its contours enclose no area; draw it again")
        centre: Floats = sum((area * where for area, where in parts), np.zeros(3)) / total
        return centre


def area_and_centre(contour: Floats) -> tuple[float, Floats]:
    """Signed area in mm² and centre (3,) of one contour."""
    x, z = contour[:, 0], contour[:, 2]
    x1, z1 = np.roll(x, -1), np.roll(z, -1)
    cross = x * z1 - x1 * z
    area = 0.5 * float(cross.sum())
    if abs(area) < 1e-9:
        return 0.0, contour.mean(axis=0)
    cx, cz = float(((x + x1) * cross).sum()), float(((z + z1) * cross).sum())
    return area, np.array([cx / (6.0 * area), contour[0, 1], cz / (6.0 * area)])


def extruded(outline_mm: Floats, y_mm: Iterable[float], name: str, kind: str) -> Structure:
    """An outline (n, 2) of X, Z drawn in every plane."""
    x, z = outline_mm.T
    return Structure(name, kind, tuple(np.column_stack([x, np.full(len(x), y), z]) for y in y_mm))


def sliced(
    centre_mm: tuple[float, float, float], radii_mm: tuple[float, float, float], y_mm: Iterable[float], name: str, kind: str,
    points: int = 36,
) -> Structure:
    """An upright ellipsoid (half axes along X, Y, Z) cut by planes."""
    angles = np.arange(points) * (2.0 * np.pi / points)
    contours = []
    for y in y_mm:
        rest = 1.0 - ((y - centre_mm[1]) / radii_mm[1]) ** 2
        if rest > 1e-6:
            x = centre_mm[0] + radii_mm[0] * np.sqrt(rest) * np.cos(angles)
            z = centre_mm[2] + radii_mm[2] * np.sqrt(rest) * np.sin(angles)
            contours.append(np.column_stack([x, np.full(points, y), z]))
    return Structure(name, kind, tuple(contours))


def inset(outline_mm: Floats, by_mm: float) -> Floats:
    """(n, 2): every edge of a simple outline moved inwards; for margins that are small against its details."""
    area = area_and_centre(np.insert(outline_mm, 1, 0.0, axis=1))[0]
    edge = np.roll(outline_mm, -1, axis=0) - outline_mm
    unit = edge / np.linalg.norm(edge, axis=1, keepdims=True)
    inwards = np.column_stack([-unit[:, 1], unit[:, 0]]) * np.sign(area)
    before = np.roll(inwards, 1, axis=0)
    corner = (inwards + before) / (1.0 + (inwards * before).sum(axis=1, keepdims=True))
    moved: Floats = outline_mm + by_mm * corner
    return moved


def inside(structure: Structure, points_mm: Floats) -> np.ndarray:
    """(n,) bool: in the structure, a plane reaching half way to its neighbours (even-odd rule, so holes are holes)."""
    points = np.asarray(points_mm, float).reshape(-1, 3)
    planes = np.array(structure.planes_mm)
    nearest = np.abs(points[:, 1:2] - planes).argmin(axis=1)
    near = np.abs(points[:, 1] - planes[nearest]) <= _half_step(planes)
    hit = np.zeros(len(points), bool)
    for contour in structure.contours:
        at = near & (np.abs(planes[nearest] - contour[0, 1]) < SAME_PLANE_MM)
        hit[at] ^= _within(contour, points[at])
    return hit


def _within(contour: Floats, points: Floats) -> np.ndarray:
    x, z = contour[:, 0], contour[:, 2]
    x1, z1 = np.roll(x, -1), np.roll(z, -1)
    px, pz = points[:, :1], points[:, 2:]
    crosses = (z > pz) != (z1 > pz)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = x + (pz - z) * (x1 - x) / (z1 - z)
    odd: np.ndarray = (crosses & (px < at)).sum(axis=1) % 2 == 1
    return odd


def mask(structure: Structure, on: Volume) -> np.ndarray:
    """(nx, nz, ny) bool: voxels of a volume whose centre lies in a structure."""
    x, y, z = (on.axis_mm(axis) for axis in range(3))
    planes = np.array(structure.planes_mm)
    nearest = np.abs(y[:, None] - planes).argmin(axis=1)
    near = np.abs(y - planes[nearest]) <= _half_step(planes)
    hit = np.zeros(on.data.shape, bool)
    for contour in structure.contours:
        here = near & (np.abs(planes[nearest] - contour[0, 1]) < SAME_PLANE_MM)
        if here.any():
            (i0, i1), (k0, k1) = (np.searchsorted(a, (contour[:, c].min(), contour[:, c].max())) for a, c in ((x, 0), (z, 2)))
            block = np.stack(np.meshgrid(x[i0:i1], 0.0, z[k0:k1], indexing="ij"), axis=-1).reshape(-1, 3)
            hit[i0:i1, k0:k1, here] ^= _within(contour, block).reshape(i1 - i0, k1 - k0)[:, :, None]
    return hit


def _half_step(planes: Floats) -> float:
    """How far a plane reaches: half way to its neighbours."""
    return 0.5 * (float(np.diff(planes).max()) if len(planes) > 1 else LARGEST_GAP_MM)
