"""Image-guided sessions against real time, on one core and one thread: images, matches, shifts, triggered images, rows on disk."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Row

ROOT = Path(__file__).resolve().parents[1]
TRIES = 3
PROGRAM = """
import os, sys, time
from pathlib import Path
from linac_ctl.app import Simulation
from linac_ctl.order import resolve
from linac_ctl.outcome import create_folder
from linac_ctl.patient_room import with_room
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
order = with_room(resolve(sys.argv[1], scratch=Path(sys.argv[2])))
for k in range(1 + int(sys.argv[3])):
    folder, _ = create_folder(order, Path(sys.argv[2]) / f"run{k}", started="benchmark")
    wall, cpu = time.perf_counter(), time.process_time()
    sim = Simulation(order, folder)
    sim.run()
    sim.finish()
    assert sim.error is None, sim.error
    if k:
        print(sim.engine.cycle * 0.01, time.perf_counter() - wall, time.process_time() - cpu)
"""


def runs_of(session: str) -> list[tuple[float, float, float]]:
    """(machine time, wall time, processor time) in s of each try; the first, which compiles and prepares matchers, is left out."""
    with tempfile.TemporaryDirectory() as scratch:
        done = subprocess.run([sys.executable, "-c", PROGRAM, session, scratch, str(TRIES)], check=True, capture_output=True,
                              text=True, env=os.environ | {"PYTHONPATH": str(ROOT), "LINAC_CTL_THREADS": "1"})
    return [tuple(map(float, line.split())) for line in done.stdout.splitlines()]  # type: ignore[misc]


def rows() -> list[Row]:
    """Quick and standard imaging."""
    found = []
    for session, goal in (("spine_igrt_quick", "> 300"), ("spine_igrt", "")):
        runs = runs_of(session)
        simulated = runs[0][0]
        note = f"{simulated:.0f} s; by processor time {simulated / min(cpu for _, _, cpu in runs):.0f}"
        found.append(Row(f"{session}, one core", simulated / min(wall for _, wall, _ in runs), "x real time", goal, note))
    return found
