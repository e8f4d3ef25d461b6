"""@compiled: functions of the scan cycle. Plain Python when NUMBA_DISABLE_JIT=1; otherwise machine code.

numba's own cache does not notice an edit in another module, so the cache folder is named after a hash of every
file that may hold compiled code (`SOURCES`); a contract test holds that no other file uses @compiled. The kernels of the
images are another kind with a cache of their own (`kernels`), so their files are left out of the key.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

import numba
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("device_models", "linac_ctl/control", "linac_ctl/interlocks", "linac_ctl/runtime/block.py",
           "linac_ctl/runtime/disturbed_block.py")
IMAGES = (  # kernels, never @compiled
    "device_models/patient", "device_models/imagers", "device_models/interface/kernels.py",
    "device_models/interface/kernel_cache.py", "device_models/interface/volume.py",
)
PLAIN = (  # plain Python
    "device_models/serve", "device_models/interface/wire", "device_models/interface/stream", "device_models/faults",
    "device_models/referee/judging", "device_models/referee/properties",
)


def source_files() -> list[Path]:
    """Every file that may hold compiled code, in a fixed order."""
    files: list[Path] = []
    for name in SOURCES:
        path = ROOT / name
        files += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return [path for path in files if not any(path.is_relative_to(ROOT / other) for other in (*IMAGES, *PLAIN))]


def source_key() -> str:
    """16 hex digits that change whenever any compiled source, numba, or a compile switch changes."""
    switches = [os.environ.get(name, "") for name in ("NUMBA_BOUNDSCHECK", "NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES")]
    digest = hashlib.sha256("/".join([numba.__version__, *switches]).encode())
    for path in source_files():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_home() -> Path:
    """Where machine code is kept between runs: LINAC_CTL_CACHE_DIR, else the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("LINAC_CTL_CACHE_DIR") or Path(base) / "linac-ctl")


numba.config.CACHE_DIR = str(cache_home() / source_key())
SWITCHES: dict[str, Any] = {"cache": True, "error_model": "numpy", "_nrt": False}  # a division by zero gives inf, as in the records
compiled: Any = numba.njit(**SWITCHES)
_pinned: dict[Any, Any] = {}  # of this process
inlined: Any = numba.njit(**SWITCHES, forceinline=True)  # for a law that is called once per axis: a call costs it a tenth


def pinned(function: Any, *examples: Any) -> Any:
    """The machine code for exactly these argument types, without numba's dispatch (6 us for a machine's worth of arrays)."""
    if numba.config.DISABLE_JIT:
        return function
    key = function, form(examples)
    if key not in _pinned:
        types = tuple(numba.typeof(x) for x in examples)
        function.compile(types)
        _pinned[key] = function.overloads[types].entry_point
    return _pinned[key]


def form(example: Any) -> Any:
    """All that numba's types depend on, known a thousand times sooner: of numbers, arrays, and tuples of these."""
    if isinstance(example, tuple):
        return type(example), tuple(form(part) for part in example)
    if isinstance(example, np.ndarray):
        flags = example.flags
        return example.dtype, example.ndim, flags.c_contiguous, flags.f_contiguous, flags.aligned, flags.writeable
    return type(example)
