"""(a) A whole session without images against real time: full MLC, interlocks, safety channel, collision, rows on disk."""

import tempfile
import time
from pathlib import Path

from benchmarks.measure import Row
from linac_ctl.app import Simulation
from linac_ctl.order import resolve
from linac_ctl.outcome import create_folder

SESSION = "spine_sbrt"
TRIES = 5


def status(sim: Simulation) -> tuple[float, ...]:
    """What a console shows, copied."""
    job, image = sim.control.job[0], sim.image
    return (float(job["cycle"]), float(job["phase"]), float(job["mu_end"]), float(sim.control.signals[32]),
            float(image.gantry["readback"][0]), float(image.beam["rate_1_mu_per_s"][0]), float(image.room["clearance_mm"][0]))


def once(status_hz: float) -> tuple[float, float, float]:
    """-> (machine time, wall time, processor time) in s, from building the machine to closed row files."""
    with tempfile.TemporaryDirectory() as scratch:
        order = resolve(SESSION, scratch=Path(scratch))
        folder, order = create_folder(order, Path(scratch) / "run", started="benchmark")
        wall, cpu = time.perf_counter(), time.process_time()
        sim, seen = Simulation(order, folder), []
        if status_hz:
            sim.observers.append((1.0 / status_hz, lambda: seen.append(status(sim))))
        sim.run()
        sim.finish()
        spent = time.perf_counter() - wall, time.process_time() - cpu
        assert sim.error is None, sim.error
        return sim.engine.cycle * 0.01, *spent


def rows() -> list[Row]:
    """With and without somebody who looks ten times per second."""
    found = []
    for status_hz, goal in ((0.0, "> 1000, goal 3000"), (10.0, "> 1000, goal 2000")):
        runs = [once(status_hz) for _ in range(TRIES)]
        simulated = runs[0][0]
        who = f"status {status_hz:g} Hz" if status_hz else "nobody looks"
        note = f"{simulated:.0f} s; by processor time {simulated / min(cpu for _, _, cpu in runs):.0f}"
        found.append(Row(f"{SESSION}, {who}", simulated / min(wall for _, wall, _ in runs), "x real time", goal, note))
    return found
