"""(e) A fresh process with warm machine code: from its start to the end of its first session, and its memory."""

import os
import resource
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
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def once(*more: str) -> tuple[float, float, float]:
    """-> (s of wall time, s of processor time, MiB of largest resident memory)."""
    with tempfile.TemporaryDirectory() as scratch:
        begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-c", PROGRAM, scratch, *more], check=True, capture_output=True, text=True,
                              env=os.environ | {"PYTHONPATH": str(ROOT)})
        wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return wall, cpu, float(done.stdout) / 1024


def rows() -> list[Row]:
    """The first try may have to compile and does not count."""
    once("first cycle")
    found = []
    for what, more in (("first cycle, warm cache", ("first cycle",)), ("end of first session", ())):
        runs = [once(*more) for _ in range(TRIES)]
        note = f"processor time {min(cpu for _, cpu, _ in runs):.2f}"
        found.append(Row(f"fresh process to {what}", min(wall for wall, _, _ in runs), "s", "< 1.5", note))
    return [*found, Row("largest resident memory", max(mib for _, _, mib in runs), "MiB", "< 300")]
