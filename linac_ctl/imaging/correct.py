"""Raw frames to line integrals: dark and flood images, dead pixels, tube output."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linac_ctl.errors import RefusedError

Images = NDArray[np.float32]
SATURATED_SHARE = 0.02  # of the pixels: above it the frame cannot be used


@dataclass(frozen=True, slots=True, eq=False)
class PanelCalibration:
    """Measured at commissioning, all (rows, columns) as the panel delivers: counts without and with beam in air."""

    dark: Images
    flood: Images  # counts in air, dark not subtracted
    flood_mas: float  # tube output of the flood image
    dead: NDArray[np.bool_]  # pixels that never count
    full_scale: int = 65535

    def __post_init__(self) -> None:
        if not self.dark.shape == self.flood.shape == self.dead.shape:
            raise RefusedError(f"panel calibration: dark {self.dark.shape}, flood {self.flood.shape}, dead {self.dead.shape}")
        if not (self.flood - self.dark)[~self.dead].min() > 0.0:
            raise RefusedError("panel calibration: a live pixel counts no more in air than in the dark; calibrate the panel")


def line_integrals(raw: NDArray[np.uint16], mas: NDArray[np.float64], calibration: PanelCalibration) -> Images:
    """(n, rows, columns) counts and (n,) mAs per frame -> (n, columns, rows) line integrals.

    RefusedError for another panel size or binning, a frame without exposure, or a saturated frame.
    """
    if raw.shape[1:] != calibration.dark.shape:
        raise RefusedError(f"raw frames of {raw.shape[1:]} pixels, calibration of {calibration.dark.shape}; binned differently?")
    if not (np.isfinite(mas).all() and (mas > 0.0).all()):
        raise RefusedError("raw frames: one has no exposure (mAs not above 0); a projection is missing")
    out = np.empty((len(raw), raw.shape[2], raw.shape[1]), np.float32)
    gain = np.where(calibration.dead, np.float32(1), calibration.flood - calibration.dark)
    for k, frame in enumerate(raw):
        _check_saturation(k, frame, calibration)
        air = (frame - calibration.dark) / gain * np.float32(calibration.flood_mas / mas[k])
        out[k] = -np.log(np.maximum(_filled(air, calibration.dead), np.float32(1e-5))).T
    return out


def _check_saturation(k: int, frame: NDArray[np.uint16], calibration: PanelCalibration) -> None:
    share = float((frame[~calibration.dead] >= calibration.full_scale).mean())
    if share > SATURATED_SHARE:
        raise RefusedError(
            f"raw frame {k}: {share:.0%} of the pixels are saturated (limit {SATURATED_SHARE:.0%}); lower the mAs"
        )


def _filled(image: Images, dead: NDArray[np.bool_]) -> Images:
    """Dead pixels as the mean of their live neighbours, ring by ring."""
    if not dead.any():
        return image
    image, unknown = np.where(dead, np.float32(0), image), dead.copy()
    while unknown.any():
        known = np.pad((~unknown).astype(np.float32), 1)
        values = np.pad(np.where(unknown, np.float32(0), image), 1)
        count, total = (sum(_shifts(a)) for a in (known, values))
        now = unknown & (count > 0)
        if not now.any():
            raise RefusedError("raw frame: no live pixel at all; the panel is dead")
        image[now] = (total / np.maximum(count, 1))[now]
        unknown &= ~now
    return image


def _shifts(padded: Images) -> list[Images]:
    rows, columns = padded.shape[0] - 2, padded.shape[1] - 2
    return [padded[i : i + rows, j : j + columns] for i in range(3) for j in range(3) if (i, j) != (1, 1)]
