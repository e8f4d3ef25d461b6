"""What the referee costs: a cycle with its witness against one without, and the judgement of a finished run."""

import time
from collections.abc import Callable
from typing import Any

from benchmarks.machine import in_beam
from benchmarks.measure import Row, best_us
from benchmarks.parts import compiled, whole
from device_models.plant import step_plant
from linac_ctl.control.cycle import inputs, outputs

ROUNDS = 5  # by turns, so that both see the same computer


@compiled
def unwitnessed(control, image, plant, n):
    """The cycle, and nobody looks."""
    done = events = 0
    while done < n and events == 0:
        outputs(control, image)
        step_plant(plant, image, control.job[0].cycle)
        events = inputs(control, image)
        done += 1
    return done


def alone(sim: Any) -> Callable[[int], Any]:
    """As `parts.whole`, without the witness."""
    control = sim.engine.control

    def run(n: int) -> None:
        control.job["row"] = 0
        done = 0
        while done < n:
            done += unwitnessed(control, sim.image, sim.plant, n - done)
            control.job["events"] = 0

    return run


def judgement_ms(sim: Any) -> float:
    """Best of a few."""
    found = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        sim.verdicts()
        found.append(time.perf_counter() - begin)
    return min(found) * 1e3


def rows() -> list[Row]:
    """In beam, on the HD120 machine."""
    sim = in_beam()
    cycles, verdict_ms = len(sim.trace.rows()), judgement_ms(sim)
    with_it, without = float("inf"), float("inf")
    for _ in range(ROUNDS):
        with_it = min(with_it, best_us(whole(sim), 500, 10))
        without = min(without, best_us(alone(sim), 500, 10))
    return [
        Row("cycle with witness / without", with_it / without, "", "< 1.2", f"{with_it:.2f} us / {without:.2f} us"),
        Row("all properties judged, per 60 s of session", verdict_ms * 6000 / cycles, "ms", "< 100", f"{cycles} cycles"),
    ]
