"""Scatter as a smooth glow: what the patient takes out of the beam, blurred widely (a pencil-beam model of one Gaussian)."""

import math

import numpy as np

from device_models.interface.kernels import parallel_kernel, prange
from device_models.interface.volume import Floats, Pixels

COARSE_MM = 12.0  # the glow is so smooth that pixels of about this size carry it


@parallel_kernel
def _taken(integrals, block, out):
    """Block means of exp(-L) L: primary times attenuation. out[a, k, l]."""
    for a in prange(out.shape[0]):
        for k in range(out.shape[1]):
            for m in range(out.shape[2]):
                total = 0.0
                for i in range(k * block, (k + 1) * block):
                    for j in range(m * block, (m + 1) * block):
                        value = integrals[a, i, j]
                        total += math.exp(-value) * value
                out[a, k, m] = total / (block * block)


@parallel_kernel
def _spread(coarse, blur_u, blur_v, between, out):
    """out[a, k, l] = blur_u coarse blur_v^T, without a library whose sums depend on the processor."""
    for a in prange(out.shape[0]):
        for k in range(coarse.shape[1]):
            for m in range(coarse.shape[2]):
                total = 0.0
                for i in range(coarse.shape[1]):
                    total += blur_u[k, i] * coarse[a, i, m]
                between[a, k, m] = total
        for k in range(coarse.shape[1]):
            for m in range(coarse.shape[2]):
                total = 0.0
                for j in range(coarse.shape[2]):
                    total += blur_v[m, j] * between[a, k, j]
                out[a, k, m] = total


def blur_matrix(n: int, sigma: float) -> Floats:
    """(n, n) Gaussian over n cells, sigma in cells; what would come from outside counts as the border does."""
    reach = math.ceil(4.0 * sigma)
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / sigma) ** 2)
    weights /= weights.sum()
    matrix = np.zeros((n, n))
    for row in range(n):
        np.add.at(matrix[row], np.clip(row + offsets, 0, n - 1), weights)
    return matrix


def glow(integrals: Pixels, pitch_mm: float, sigma_mm: float) -> tuple[Pixels, int]:
    """(n, k, l) glow on coarse cells for (n, columns, rows) integrals, for a fraction of 1; and pixels per cell."""
    n, columns, rows = integrals.shape
    block = max(1, min(round(COARSE_MM / pitch_mm), columns // 2, rows // 2))
    coarse = np.empty((n, columns // block, rows // block))
    _taken(integrals, block, coarse)
    out = np.empty_like(coarse)
    sigma = sigma_mm / (pitch_mm * block)
    _spread(coarse, blur_matrix(coarse.shape[1], sigma), blur_matrix(coarse.shape[2], sigma), np.empty_like(coarse), out)
    return out.astype(np.float32), block
