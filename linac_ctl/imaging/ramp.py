"""Weighting and filtering of projections before they are smeared back (Feldkamp, Davis, Kress 1984)."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .geometry import Frames

Images = NDArray[np.float32]
BATCH_VALUES = 1 << 21  # values per Fourier transform: what stays in the cache


def filtered(projections: Images, frames: Frames, ray_weight: NDArray[np.float64], cut: float = 1.0) -> Images:
    """(n, columns, rows) line integrals -> the same, cosine-weighted, weighted per ray and ramp-filtered along columns.

    `cut` is where the Hann window reaches zero, in Nyquist frequencies; above 1 it stays open (sharper, noisier).
    """
    n, columns, rows = projections.shape
    scale = _magnification(frames)
    length = _even_length(2 * columns)
    response = _response(length, cut)
    out = np.empty_like(projections)
    batch = max(1, BATCH_VALUES // (length * rows))
    for a in range(0, n, batch):
        part = slice(a, a + batch)
        weight = _cosine(frames, part) * ray_weight[part, :, None].astype(np.float32)
        spectrum = np.fft.rfft(projections[part] * weight, n=length, axis=1)
        spectrum *= response[None, :, None]
        back = np.fft.irfft(spectrum, n=length, axis=1)[:, :columns]
        np.divide(back, (frames.panel.pitch_u_mm / scale[part])[:, None, None].astype(np.float32), out=out[part])
    return out


def _magnification(frames: Frames) -> NDArray[np.float64]:
    """(n,) panel over isocentre."""
    out: NDArray[np.float64] = (frames.source_mm[:, 2] - frames.panel_mm[:, 2]) / frames.source_mm[:, 2]
    return out


def _cosine(frames: Frames, part: slice) -> Images:
    """(m, columns, rows) distance source to panel over length of the ray."""
    table, panel = frames.table()[part], frames.panel
    depth = (table[:, 4] - table[:, 7])[:, None, None]
    u = (table[:, 5:6] + np.arange(panel.columns) * panel.pitch_u_mm - table[:, 2:3])[:, :, None]
    v = (table[:, 6:7] + np.arange(panel.rows) * panel.pitch_v_mm - table[:, 3:4])[:, None, :]
    return (depth / np.sqrt(depth**2 + u**2 + v**2)).astype(np.float32)


def _even_length(least: int) -> int:
    """Next 2^a 3^b 5^c that is even: such transforms are quick."""
    good: list[int] = [2**a * 3**b * 5**c for a in range(1, 14) for b in range(5) for c in range(4)]
    return min(n for n in good if n >= least)


@lru_cache(maxsize=16)
def _response(length: int, cut: float) -> Images:
    """Ramp of unit pixels made in real space (Kak and Slaney, eq. 3.29), so that its mean is right; Hann window."""
    k = np.minimum(np.arange(length), length - np.arange(length))
    taps = np.zeros(length)
    taps[0] = 0.25
    odd = k % 2 == 1
    taps[odd] = -1.0 / (np.pi * k[odd]) ** 2
    ramp = np.real(np.fft.rfft(taps))
    f = np.arange(len(ramp)) / (len(ramp) - 1)
    window = np.where(f < cut, 0.5 * (1 + np.cos(np.pi * f / cut)), 0.0)
    return (ramp * window).astype(np.float32)
