"""Noise as a pure function of (seed, stream name, cycle): neither order, block length nor other devices matter."""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numba
import numpy as np
from numba import float64, int32
from numba import uint32 as u4

from ..interface.compiled import compiled

MASK_32 = 0xFFFFFFFF
ONE_SIGMA = 1.0 / 16384.0  # bits counted in 64 hashed bits have sigma 4; each count is 4096 steps of dither
MEAN = 133119.5

if getattr(numba.config, "DISABLE_JIT", 0):
    np.seterr(over="ignore")  # plain Python: numpy would warn that 32-bit products wrap, which is the point of a hash


class Noise(NamedTuple):
    """One sample per stream, drawn in one loop over contiguous arrays, which the compiler turns into vector code."""

    key: Any  # (n,) uint32
    key_2: Any  # (n,) uint32
    sample: Any  # (n,) sigma 1


@compiled
def spread(cycle):
    """The cycle number as 32 scattered bits (Fibonacci hashing); once per cycle, not per stream."""
    return u4((cycle * 0x9E3779B9) & MASK_32)


@compiled
def mix(x):
    """32 bits in, 32 well-mixed bits out: xor-shift and multiply, kept 32 bits wide by u4() so that it vectorises."""
    x = u4(x ^ (x >> u4(16)))
    x = u4(x * u4(0x21F0AAAD))
    x = u4(x ^ (x >> u4(15)))
    x = u4(x * u4(0x735A2D97))
    return u4(x ^ (x >> u4(15)))


@compiled
def pair_count(x):
    """Bits set in each group of four, as eight numbers of four bits: half of a population count."""
    x = u4(x - ((x >> u4(1)) & u4(0x55555555)))
    return u4((x & u4(0x33333333)) + ((x >> u4(2)) & u4(0x33333333)))


@compiled
def normal(key, key_2, spread_cycle):
    """About normal, sigma 1, within 8 sigma: bits counted in 64 hashed bits (binomial), plus dither between counts."""
    high = mix(u4(key + spread_cycle))
    low = mix(u4(high ^ key_2))
    dither = u4(u4(low * u4(0x9E3779B9)) >> u4(20))
    count = u4(pair_count(high) + pair_count(low))
    count = u4((count & u4(0x0F0F0F0F)) + ((count >> u4(4)) & u4(0x0F0F0F0F)))
    count = u4(u4(count * u4(0x01010101)) >> u4(24))
    return (float64(int32(u4((count << u4(12)) + dither))) - MEAN) * ONE_SIGMA


@compiled
def uniform(key, key_2, spread_cycle):
    """In [0, 1): for events that happen with a given probability."""
    return float64(int32(mix(u4(mix(u4(key + spread_cycle)) ^ key_2)) >> u4(1))) * (1.0 / 2147483648.0)


@compiled
def numbered(key, i):
    """Key of the i-th draw of one stream within a cycle."""
    return u4(key + u4((i * 0x632BE5AB) & MASK_32))


@compiled
def draw(noise, cycle):
    """This cycle's sample of every stream."""
    now = spread(cycle)
    for i in range(noise.key.size):
        noise.sample[i] = normal(noise.key[i], noise.key_2[i], now)


def new_noise(seed: int, names: Sequence[str]) -> Noise:
    """A bank with one stream per name. Keys come from (seed, name) alone, so a new device changes nobody else's."""
    digests = [hashlib.sha256(f"{seed}/{name}".encode()).digest() for name in names]
    key, key_2 = (np.array([int.from_bytes(d[j : j + 4], "big") for d in digests], np.uint32) for j in (0, 4))
    return Noise(key, key_2, np.zeros(len(names)))
