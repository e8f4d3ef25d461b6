"""@kernel and @parallel_kernel: compiled functions of the images. The scan cycle has its own, see `compiled`.

Images may be approximate where the cycle may not: fastmath, exp and log are fine here, because a result is rounded to a
grid before it enters the cycle. Their machine code lives in a cache folder of its own, named after a hash of all imaging
sources, so an edit of a kernel costs the scan cycle nothing, and the other way round.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

import numba
import numpy as np

from .compiled import ROOT, cache_home
from .kernel_cache import MadeElsewhere

IMAGING = ("device_models/patient", "device_models/imagers", "linac_ctl/imaging")


def imaging_files() -> list[Path]:
    """Every file that may hold a kernel, in a fixed order, and those that say how kernels are made."""
    how = [Path(__file__).resolve().with_name(name) for name in ("kernels.py", "kernel_cache.py")]
    return [path for name in IMAGING for path in sorted((ROOT / name).rglob("*.py"))] + how


def imaging_key() -> str:
    """16 hex digits that change whenever an imaging source, numba, or a compile switch changes."""
    switches = [os.environ.get(name, "") for name in ("NUMBA_BOUNDSCHECK", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")]
    digest = hashlib.sha256("/".join(["imaging", numba.__version__, *switches]).encode())
    for path in imaging_files():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def threads() -> int:
    """Threads of a parallel kernel: all processors, at most LINAC_CTL_THREADS (campaigns run many processes of one)."""
    asked = os.environ.get("LINAC_CTL_THREADS", "")
    all_of_them = int(numba.config.NUMBA_NUM_THREADS)
    return min(all_of_them, int(asked)) if asked.isdigit() and int(asked) > 0 else all_of_them


numba.config.NUMBA_NUM_THREADS = threads()
if not os.environ.get("NUMBA_THREADING_LAYER"):
    numba.config.THREADING_LAYER = "workqueue"  # survives fork; the OpenMP layer kills the child and spins when idle
prange: Any = numba.prange
CACHE = str(cache_home() / f"imaging-{imaging_key()}")


def _decorate(function: Any, **options: Any) -> Any:
    """njit with our cache folder: numba reads it while it decorates."""
    cycle_cache = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = CACHE
    try:
        made = numba.njit(cache=True, nogil=True, fastmath=True, error_model="numpy", **options)(function)
    finally:
        numba.config.CACHE_DIR = cycle_cache
    if not numba.config.DISABLE_JIT:
        made._cache = MadeElsewhere(made)
    return made


def kernel(function: Any) -> Any:
    """A compiled function of one thread."""
    return _decorate(function)


def inlined(function: Any) -> Any:
    """A small compiled function, copied into its callers."""
    return _decorate(function, inline="always")


def parallel_kernel(function: Any) -> Any:
    """A compiled function whose `prange` loops are shared by the threads: each turn writes its own part, and sums nothing.

    A sum over turns would depend on the number of threads: write one partial sum for each of a fixed number of chunks.
    """
    return _decorate(function, parallel=True)


def finite(who: str, **numbers: Any) -> None:
    """ValueError naming the first that is not finite. Call it before every kernel: unchecked code reads anywhere."""
    for name, value in numbers.items():
        if not np.isfinite(value).all():
            raise ValueError(f"{who}: {name} is not finite ({np.asarray(value).ravel()[:3]}); nothing is computed from it")
