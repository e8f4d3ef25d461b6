"""Chance as a pure function of (seed, name, number): neither order nor other streams matter, and nothing is remembered."""

import hashlib
import math
from statistics import NormalDist

import numpy as np
from numba import float64
from numba import uint64 as u8

from device_models.interface.kernels import inlined, kernel
from device_models.interface.volume import Floats

UNIT = 1.0 / 9007199254740992.0  # 2^-53


def stream(seed: int, name: str) -> np.uint64:
    """Key of a stream."""
    return np.uint64(int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:8], "big"))


def uniforms(seed: int, name: str, n: int) -> list[float]:
    """n numbers in (0, 1)."""
    found = []
    for i in range(n):
        word = hashlib.sha256(f"{seed}/{name}/{i}".encode()).digest()[:8]
        found.append((int.from_bytes(word, "big") + 0.5) / 2.0**64)
    return found


def normals(seed: int, name: str, n: int) -> Floats:
    """(n,) numbers of mean 0 and sigma 1."""
    return np.array([NormalDist().inv_cdf(u) for u in uniforms(seed, name, n)])


@inlined
def bits(key, i):
    """64 mixed bits for number i of a stream (SplitMix64, Steele 2014)."""
    z = u8(key + u8(i) * u8(0x9E3779B97F4A7C15))
    z = u8((z ^ (z >> u8(30))) * u8(0xBF58476D1CE4E5B9))
    z = u8((z ^ (z >> u8(27))) * u8(0x94D049BB133111EB))
    return u8(z ^ (z >> u8(31)))


@inlined
def uniform(key, i):
    """In (0, 1)."""
    return (float64(bits(key, i) >> u8(11)) + 0.5) * UNIT


@inlined
def gauss(key, i):
    """Mean 0, sigma 1 (Box and Muller 1958), from numbers 2 i and 2 i + 1 of the stream."""
    return math.sqrt(-2.0 * math.log(uniform(key, u8(2) * u8(i)))) * math.cos(
        6.283185307179586 * uniform(key, u8(2) * u8(i) + u8(1))
    )


@kernel
def poisson(mean, key, i):
    """Counts of a Poisson law: by inversion below 30, above by the normal law, which is then within 1 %."""
    if mean >= 30.0:
        return max(0.0, math.floor(mean + math.sqrt(mean) * gauss(key, i) + 0.5))
    if mean <= 0.0:
        return 0.0
    left = uniform(key, u8(2) * u8(i))
    share = math.exp(-mean)
    count = 0.0
    while left > share and count < 200.0:
        left -= share
        count += 1.0
        share *= mean / count
    return count


@kernel
def add_gauss(data, sigma, key):
    """Adds sigma x gauss to every element of a flat array, in place."""
    for i in range(data.size):
        data[i] += np.float32(sigma * gauss(key, i))
