"""Which code this is. Equal bits need equal code: a ledger holds rows of one code only, and a run is replayed by its own."""

import hashlib
from functools import cache
from pathlib import Path

from . import __version__

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("linac_ctl", "device_models")


@cache
def code_version() -> str:
    """Release, and 12 hex digits over every source file of ours; the same in a checkout and in an installed wheel."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py"), key=lambda p: p.relative_to(ROOT).as_posix()):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{__version__}+{digest.hexdigest()[:12]}"
