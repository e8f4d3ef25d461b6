"""Wide smoothing of images by repeated running means; compiled, and the same bits whatever the number of threads."""

import math

import numpy as np
from numba import prange
from numpy.typing import NDArray

from device_models.interface.kernels import kernel, parallel_kernel

Images = NDArray[np.float32]


@kernel
def _mean_along(image, half, out):
    """Running mean of 2 half + 1 values along the second axis; at the borders, of those that exist."""
    rows, n = image.shape
    for i in range(rows):
        total = 0.0
        count = 0
        for j in range(min(half, n)):
            total += image[i, j]
            count += 1
        for j in range(n):
            if j + half < n:
                total += image[i, j + half]
                count += 1
            if j - half - 1 >= 0:
                total -= image[i, j - half - 1]
                count -= 1
            out[i, j] = total / count


@parallel_kernel
def _smooth(images, half_u, half_v, repeats, work, out):
    """Running means along both axes, `repeats` times. work: like images."""
    for k in prange(images.shape[0]):
        out[k] = images[k]
        for _ in range(repeats):
            _mean_along(out[k], half_v, work[k])
            _mean_along(work[k].T, half_u, out[k].T)


def running_mean(images: Images, half_u: int, half_v: int, repeats: int) -> Images:
    """(n, columns, rows) -> the same; `half_u`, `half_v` in pixels."""
    source = np.ascontiguousarray(images, np.float32)
    out = np.empty_like(source)
    _smooth(source, half_u, half_v, repeats, np.empty_like(source), out)
    return out


def blurred(images: Images, sigma_u_px: float, sigma_v_px: float) -> Images:
    """Close to a Gaussian of these standard deviations in pixels (three running means)."""
    return running_mean(images, _half(sigma_u_px), _half(sigma_v_px), 3)


def _half(sigma: float) -> int:
    return max(1, round((math.sqrt(4 * sigma * sigma + 1) - 1) / 2))


def without_slow_parts(images: Images, half: int) -> Images:
    """The images less their twice smoothed selves: what scatter, heel and beam hardening leave of them."""
    out: Images = images - running_mean(images, half, half, 2)
    return out
