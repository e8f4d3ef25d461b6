"""A phantom: bodies, what was drawn on it, and the points that its judges look for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from device_models.interface.volume import Floats, Volume, grid

from .chance import add_gauss, stream
from .errors import PatientError
from .raster import rasterised
from .structures import TARGETS, Structure

Triple = tuple[float, float, float]
LARGEST_VOXELS = 700**3


@dataclass(frozen=True, slots=True, eq=False)
class Phantom:
    """Bodies in frame P: the origin is the planned isocentre."""

    name: str
    bodies: Floats  # (n, 17), see `primitives`
    extent_mm: tuple[Triple, Triple]  # X, Y, Z of two opposite corners of the box that holds what is imaged
    structures: tuple[Structure, ...] = ()
    markers_mm: Mapping[str, Triple] = field(default_factory=dict)  # fiducials, balls: name and true centre

    def sampled(self, spacing_mm: float | Triple, fine: int = 4, noise_hu: float = 0.0, seed: int = 0) -> Volume:
        """HU on a grid of this spacing over `extent_mm`: the truth at 1 mm or finer, a planning CT at its own spacing."""
        spacing = (spacing_mm, spacing_mm, spacing_mm) if isinstance(spacing_mm, int | float) else spacing_mm
        if not (np.isfinite(spacing).all() and min(spacing) > 0.0):
            raise PatientError(f"phantom {self.name}: a spacing of {spacing} mm; ask for more than 0")
        low, high = np.array(self.extent_mm)
        nx, ny, nz = (max(2, int(np.ceil((b - a) / h - 1e-9))) for a, b, h in zip(low, high, spacing, strict=True))
        if nx * ny * nz > LARGEST_VOXELS:
            raise PatientError(f"phantom {self.name}: {nx} x {ny} x {nz} voxels at {spacing} mm are more than {LARGEST_VOXELS}")
        cx, cy, cz = (float(v) for v in 0.5 * (low + high))
        volume = rasterised(self.bodies, grid((nx, ny, nz), spacing, (cx, cy, cz)), fine)
        if noise_hu > 0.0:
            add_gauss(volume.data.reshape(-1), noise_hu, stream(seed, f"{self.name}/CT noise"))
        return volume

    def structure(self, name: str) -> Structure:
        """By name, any case."""
        return find_structure(self.structures, name, self.name)


def find_structure(structures: tuple[Structure, ...], name: str, of: str) -> Structure:
    """By name, any case; PatientError lists what there is."""
    for structure in structures:
        if structure.name.casefold() == name.casefold():
            return structure
    there = ", ".join(structure.name for structure in structures) or "none"
    raise PatientError(f"{of}: no structure '{name}'; there are: {there}")


def target_of(structures: tuple[Structure, ...], of: str) -> Structure:
    """What is to be hit: the CTV, else the GTV, else the PTV."""
    for kind in ("CTV", "GTV", "PTV"):
        for structure in structures:
            if structure.kind == kind:
                return structure
    there = ", ".join(f"{structure.name} ({structure.kind})" for structure in structures) or "none"
    raise PatientError(f"{of}: no structure for the target: none of {there} is a {' or '.join(TARGETS)}; name one")
