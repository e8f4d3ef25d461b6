"""(e) A fresh process with warm machine code: from its start to the end of its first session, and its memory."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Row

ROOT = Path(__file__).resolve().parents[1]
TRIES = 3
PROGRAM = """
import sys
from pathlib import Path
from linac_ctl.app import Simulation
from linac_ctl.order import resolve
from linac_ctl.outcome import create_folder
order = resolve("spine_sbrt", scratch=Path(sys.argv[1]))
folder, order = create_folder(order, Path(sys.argv[1]) / "run", started="benchmark")
sim = Simulation(order, folder)
if len(sys.argv) > 2:
    sim.step()
else:
    sim.run()
    sim.finish()
"""


def once(*more: str) -> tuple[float, float]:
    """-> (s of wall time, MiB of largest resident memory)."""
    with tempfile.TemporaryDirectory() as scratch:
        begin = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, scratch, *more], env=os.environ | {"PYTHONPATH": str(ROOT)})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, f"exit code {process.returncode}"
        return time.perf_counter() - begin, usage.ru_maxrss / 1024


def rows() -> list[Row]:
    """The first try may have to compile and does not count."""
    once("first cycle")
    first = [once("first cycle") for _ in range(TRIES)]
    whole = [once() for _ in range(TRIES)]
    return [Row("fresh process to first cycle, warm cache", min(s for s, _ in first), "s", "< 1.5"),
            Row("fresh process to end of first session", min(s for s, _ in whole), "s", "< 1.5"),
            Row("largest resident memory", max(mib for _, mib in whole), "MiB", "< 300")]
