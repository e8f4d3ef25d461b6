"""Python, the packages, and tools that are used when they are there."""

import importlib.metadata
import platform
import shutil
import sys
from collections.abc import Iterator

import linac_ctl

from . import Finding

OLDEST = (3, 11)
NEEDED = ("numpy", "numba", "transitions", "pydantic", "pyyaml", "click", "rich", "pydicom", "jinja2", "pillow")
AGAIN = "start once with ./linac, or: pip install linac-ctl"


def findings() -> Iterator[Finding]:
    """All of it."""
    yield Finding("linac-ctl", "ok", f"{linac_ctl.__version__} in {linac_ctl.__path__[0]}")
    yield python(sys.version_info[:2])
    yield environment()
    yield from (package(name) for name in NEEDED)
    yield extra("pyarrow", "Parquet export; pip install 'linac-ctl[parquet]'")
    yield tool("dciodvfy", "checks the DICOM files that we write; on Debian and Ubuntu: apt install dicom3tools")


def python(version: tuple[int, ...]) -> Finding:
    """Old Pythons fail in odd ways; say it plainly."""
    found = f"{platform.python_version()} at {sys.executable}"
    if version >= OLDEST:
        return Finding("Python", "ok", found)
    return Finding("Python", "fail", found, "install Python 3.11 or newer")


def environment() -> Finding:
    """An environment of its own keeps the locked versions."""
    if sys.prefix != sys.base_prefix:
        return Finding("environment", "ok", sys.prefix)
    advice = "versions may not be the tested ones; use ./linac or a venv"
    return Finding("environment", "warn", "the system's own Python", advice)


def package(name: str) -> Finding:
    """A package that runs need."""
    try:
        return Finding(name, "ok", importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "fail", "not installed", AGAIN)


def extra(name: str, use: str) -> Finding:
    """A package that only one command needs."""
    try:
        return Finding(name, "ok", importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, "info", "not installed", f"only for {use}")


def tool(name: str, use: str) -> Finding:
    """A program outside of Python."""
    path = shutil.which(name)
    return Finding(name, "ok", path) if path else Finding(name, "info", "not found", use)
