"""One short session in which everything happens: beam with pulses, a leaf that is pushed (hold), one that sticks (the dose
slows down), a door that opens (interrupt), recovery and the rest of the MU. Prints what `facts` finds: compiled, or plain
with NUMBA_DISABLE_JIT=1; see test_equal_bits.py.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from linac_ctl.control.phases import Phase
from tests.support import Run, order_for, quick, small_sliding_window

BEAM = int(Phase.BEAM)
PUSHED_LEAF, STUCK_LEAF = 12, 3


def session(machine: str = "bench_small", seed: int = 7, status_hz: float = 0.0, **kw: Any) -> Run:
    """The finished run; `status_hz`: how often somebody looks at it."""
    it = quick(machine)
    sim = Run(order_for(it, [small_sliding_window(it, mu=16.0, way_mm=40.0)], seed, reaction_s=0.05), **kw)
    sim.observers.append((0.05, troubles(sim)))
    if status_hz:
        sim.observers.append((1.0 / status_hz, lambda: status(sim)))
    sim.run()
    return sim


def troubles(sim: Run) -> Callable[[], None]:
    """What goes wrong, by delivered MU."""
    done: list[str] = []

    def once(name: str, mu: float, do: Callable[[], None]) -> None:
        if name not in done and sim.mu(1) >= mu:
            done.append(name)
            do()

    def stick() -> None:
        sim.plant.mlc["moves"][STUCK_LEAF] = 0.0
        sim.loop.call_later(0.6, free)

    def free() -> None:
        sim.plant.mlc["moves"][STUCK_LEAF] = 1.0

    def push() -> None:
        sim.plant.mlc["position"][PUSHED_LEAF] += 3.0

    def look() -> None:
        if int(sim.control.job["phase"][0]) == BEAM:
            once("push", 2.0, push)
            once("stick", 6.0, stick)
            once("door", 10.0, lambda: sim.staff.hands.do("open_door"))

    return look


def status(sim: Run) -> dict[str, float]:
    """What a console would show: a copy, never a view."""
    job, image = sim.control.job[0], sim.image
    return {"cycle": float(job["cycle"]), "phase": float(job["phase"]), "gantry_deg": float(image.gantry["readback"][0]),
            "mu": float(image.beam["mu_1"][0]), "leaf_mm": float(np.max(image.mlc["readback"]))}


def facts(sim: Run) -> dict[str, Any]:
    """What the tests compare."""
    return {"cycles": sim.engine.cycle, "error": str(sim.error), "mu": round(sim.mu(1), 6),
            "trips": [trip.id for trip in sim.linac.panel.history if trip.stop != "inhibit"], "digest": sim.finish()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(facts(session(*sys.argv[1:2]))))
