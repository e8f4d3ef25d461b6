"""HU to attenuation at the energy of a beam: water scaled below 0 HU, bone by its own factor above."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from device_models.interface.volume import Pixels

from .config import TubeConfig


@dataclass(frozen=True, slots=True)
class Spectrum:
    """A beam as one effective energy."""

    water_per_mm: float
    bone_factor: float  # what 1 HU above water adds, relative to the planning CT
    quanta_per_mm2: float = 0.0  # detected at 1 m in air, per mAs or MU


def attenuation(hu: Any, spectrum: Spectrum) -> Pixels:
    """float32 1/mm, never below 0; shape of `hu`."""
    hu = np.asarray(hu, np.float32)
    relative = np.float32(1.0) + np.float32(1e-3) * np.where(hu > 0.0, np.float32(spectrum.bone_factor) * hu, hu)
    scaled: Pixels = np.maximum(relative, np.float32(0.0)) * np.float32(spectrum.water_per_mm)
    return scaled


def kv_spectrum(tube: TubeConfig, kv: float) -> Spectrum:
    """Straight lines between the rows of the table; the first and last row beyond it."""
    rows = np.array(tube.spectra)
    water, bone, quanta = (float(np.interp(kv, rows[:, 0], rows[:, column])) for column in (1, 2, 3))
    return Spectrum(water, bone, quanta)
