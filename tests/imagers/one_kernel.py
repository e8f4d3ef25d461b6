"""A process of its own that needs one kernel and another that it calls; writes bits, hits, misses as JSON.

    python -m tests.imagers.one_kernel [lost|full]     lost: the cache folder goes after the import; full: nothing can be written
"""

import hashlib
import json
import resource
import shutil
import signal
import sys
from pathlib import Path

import numpy as np

from device_models.interface.kernels import CACHE, kernel, parallel_kernel, prange


@kernel
def term(x, k):
    """Something that relaxed arithmetic may take apart."""
    return np.exp(-x * k) * x + x * x * 0.3 - k


@parallel_kernel
def sums(data, out):
    """Compiled, run and loaded again in one process, its loop gives other bits than when it is only loaded."""
    for i in prange(out.shape[0]):
        total = np.float32(0.0)
        for k in range(data.shape[0]):
            total += np.float32(term(data[k], np.float32(i) * np.float32(0.01)))
        out[i] = total


def prepare(how: str) -> None:
    """Take the cache away, or the disk."""
    if how == "lost":
        shutil.rmtree(CACHE, ignore_errors=True)
        Path(CACHE).write_text("")
    if how == "full":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def count(which: str) -> int:
    """Over both kernels."""
    return sum(sum(getattr(one.stats, which).values()) for one in (term, sums))


if __name__ == "__main__":
    prepare(sys.argv[1] if len(sys.argv) > 1 else "")
    out = np.zeros(50, np.float32)
    sums(np.linspace(0.1, 2.3, 1000, dtype=np.float32), out)
    bits = hashlib.sha256(out.tobytes()).hexdigest()
    json.dump({"bits": bits, "hits": count("cache_hits"), "misses": count("cache_misses")}, sys.stdout)
