"""Cores, memory, clock, sleep, disk and the folder of compiled code."""

import os
import platform
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ...runtime.waiter import Waiter
from . import Finding

CYCLE_NS = 10_000_000
MEMORY_MIB = 300  # of one session
DISK_MIB = 200  # a ten-minute session writes about 20
CACHE_MIB = 20


def findings() -> Iterator[Finding]:
    """All of it."""
    yield cores(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    yield memory(available_mib(Path("/proc/meminfo")))
    yield clock(time.get_clock_info("monotonic").resolution)
    yield punctual(*lateness_ms(20))
    yield cache(cache_folder())
    yield disk(Path.cwd())


def cores(count: int) -> Finding:
    """Virtual time needs one; real time wants one for itself."""
    found = f"{count} usable, {platform.machine()}"
    if count > 1:
        return Finding("cores", "ok", found)
    advice = "real time may be late, the loop shares its only core; virtual time is fine"
    return Finding("cores", "warn", found, advice)


def available_mib(meminfo: Path) -> int | None:
    """MemAvailable of Linux; None elsewhere."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    sizes = [int(text.split()[1]) // 1024 for text in lines if text.startswith("MemAvailable:")]
    return sizes[0] if sizes else None


def memory(mib: int | None) -> Finding:
    """MiB that can be had without swapping."""
    if mib is None:
        return Finding("memory", "info", "not known on this system", f"a session needs {MEMORY_MIB} MiB")
    if mib >= MEMORY_MIB:
        return Finding("memory", "ok", f"{mib} MiB available")
    return Finding("memory", "warn", f"{mib} MiB available", f"a session needs {MEMORY_MIB} MiB; close something")


def clock(resolution_s: float) -> Finding:
    """Real time waits by the monotonic clock."""
    found = f"monotonic, {resolution_s * 1e9:.0f} ns"
    if resolution_s <= 1e-4:
        return Finding("clock", "ok", found)
    return Finding("clock", "warn", found, "too coarse for real time (0.1 ms is needed); virtual time is fine")


def lateness_ms(cycles: int) -> tuple[list[float], str]:
    """(how late each of `cycles` waits for the next 10 ms was, what woke us), by the waiter of real-time runs; cycles x 10 ms."""
    waiter = Waiter()
    start_ns = time.monotonic_ns()
    late = []
    for k in range(1, cycles + 1):
        waiter.until(start_ns + k * CYCLE_NS)
        late.append((time.monotonic_ns() - start_ns - k * CYCLE_NS) / 1e6)
    kind = waiter.kind
    waiter.close()
    return late, kind


def punctual(late_ms: list[float], timer: str) -> Finding:
    """The timing self-test: half of all cycles later than 0.5 ms is no real time."""
    median, worst = statistics.median(late_ms), max(late_ms)
    found = f"{len(late_ms)} cycles of 10 ms: late by {median:.2f} ms (median), {worst:.2f} ms (worst); woken by {timer}"
    if median <= 0.5 and worst <= 10.0:
        return Finding("timing self-test", "ok", found)
    advice = "real time will be late: stop other programs; virtual time is fine"
    return Finding("timing self-test", "warn", found, advice)


def cache_folder() -> Path:
    """Where machine code is kept."""
    from device_models.interface.compiled import cache_home  # imports the compiler: only here

    return cache_home()


def cache(folder: Path) -> Finding:
    """Without it every start compiles anew, which takes half a minute."""
    advice = "make it writable, or set LINAC_CTL_CACHE_DIR to a folder that is; until then every start compiles anew"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        return Finding("compiled code", "fail", f"{folder}: {error.strerror}", advice)
    free = shutil.disk_usage(folder).free // 2**20
    if free < CACHE_MIB:
        return Finding("compiled code", "fail", f"{folder}: {free} MiB free", f"{CACHE_MIB} MiB are needed")
    return Finding("compiled code", "ok", f"kept in {folder}")


def disk(folder: Path) -> Finding:
    """Runs are written below the working folder unless --out says otherwise."""
    free = shutil.disk_usage(folder).free // 2**20
    found = f"{free} MiB free below {folder}"
    if free < DISK_MIB:
        return Finding("disk", "fail", found, f"{DISK_MIB} MiB are needed; delete something, or use --out")
    if not os.access(folder, os.W_OK):
        return Finding("disk", "warn", f"{folder} is not writable", "runs are written here unless --out names a folder")
    return Finding("disk", "ok", found)
