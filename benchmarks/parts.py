"""(b) What a cycle consists of, us: each part called alone in a loop, and the whole."""

from collections.abc import Callable
from typing import Any

import numba

from benchmarks.machine import in_beam
from benchmarks.measure import Row, best_us
from device_models import plant as p
from linac_ctl.control import cycle as c
from linac_ctl.control import rows as r
from linac_ctl.interlocks.scan import scan
from linac_ctl.runtime.block import run_block

compiled = numba.njit(error_model="numpy", _nrt=False)
GANTRY, COLLIMATOR, JAWS, MLC, CARRIAGES, COUCH, KV, MV, BEAM, ROOM, SAFETY = range(11)


@compiled
def noise(control, image, plant, n):
    """Samples of all streams."""
    for k in range(n):
        p.draw(plant.noise, k)


@compiled
def leaves(control, image, plant, n):
    """Drives and encoders of the leaves."""
    for k in range(n):
        p.step_mlc(plant.mlc, image.mlc, plant.nodes[MLC], image.nodes[MLC], True, plant.noise.sample, k)


@compiled
def other_drives(control, image, plant, n):
    """All other axes."""
    sample, nodes, wires = plant.noise.sample, plant.nodes, image.nodes
    for k in range(n):
        p.step_gantry(plant.gantry, image.gantry, nodes[GANTRY], wires[GANTRY], True, sample, k)
        p.step_collimator(plant.collimator, image.collimator, nodes[COLLIMATOR], wires[COLLIMATOR], True, sample, k)
        p.step_jaws(plant.jaws, image.jaws, nodes[JAWS], wires[JAWS], True, sample, k)
        p.step_carriages(plant.carriages, image.carriages, nodes[CARRIAGES], wires[CARRIAGES], True, sample, k)
        p.step_couch(plant.couch, image.couch, nodes[COUCH], wires[COUCH], True, sample, k)
        p.step_kv_arms(plant.kv_arms, image.kv_arms, nodes[KV], wires[KV], True, sample, k)
        p.step_mv_arm(plant.mv_arm, image.mv_arm, nodes[MV], wires[MV], True, sample, k)


@compiled
def safety_and_beam(control, image, plant, n):
    """Second channel, pulses, chambers, switches."""
    for k in range(n):
        p.step_safety(plant.safety[0], plant.chambers[2], image.safety[0], image.beam[0], plant.beam[0], plant.room[0],
                      plant.nodes[SAFETY], image.nodes[SAFETY], plant.noise.sample, k)
        p.step_beam(plant.beam[0], plant.modes, plant.carousel[0], plant.chambers, plant.live, image.beam[0], plant.nodes[BEAM],
                    image.nodes[BEAM], True, True, plant.noise, plant.slow, k)


@compiled
def collision(control, image, plant, n):
    """Clearance, looked at every tenth cycle."""
    for _ in range(n):
        p.step_collision(plant.collision[0], plant.envelope, plant.sine, image, True)


@compiled
def signals(control, image, plant, n):
    """Wires to signals."""
    for _ in range(n):
        c.measure(control, image)


@compiled
def interlocks(control, image, plant, n):
    """All rows of the table."""
    for k in range(n):
        scan(control.interlocks, control.signals, 8, k)


@compiled
def setpoints(control, image, plant, n):
    """Trajectory, permit, heartbeat."""
    for _ in range(n):
        c.outputs(control, image)


@compiled
def one_row(control, image, plant, n):
    """A row, which is due every second cycle."""
    for _ in range(n // 2):
        control.job[0].row = 0
        r.write_row(control, image)


PARTS: tuple[tuple[str, Any], ...] = (
    ("noise", noise), ("120 leaf drives", leaves), ("other drives", other_drives), ("safety channel and beam", safety_and_beam),
    ("collision", collision), ("signals", signals), ("interlock scan", interlocks), ("setpoints", setpoints), ("row", one_row),
)


def whole(sim: Any) -> Callable[[int], Any]:
    """Blocks of the real cycle; rows go round in their buffer."""
    control = sim.engine.control

    def run(n: int) -> None:
        control.job["row"] = 0
        done = 0
        while done < n:
            done += run_block(control, sim.image, sim.plant, sim.engine.trace, n - done)[0]
            control.job["events"] = 0

    return run


def rows() -> list[Row]:
    """In beam, on the HD120 machine."""
    sim = in_beam()
    found = [Row("whole cycle in beam", best_us(whole(sim), 500, 20), "us", "< 5")]
    for name, part in PARTS:
        found.append(Row(name, best_us(lambda n, part=part: part(sim.engine.control, sim.image, sim.plant, n)), "us"))
    return found
