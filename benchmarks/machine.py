"""A large machine in the middle of an arc: what the parts are timed on."""

from linac_ctl.control.phases import Phase
from tests.support import Run, machine, order_for, small_arc

NAME = "c_arm_hd120"


def in_beam() -> Run:
    """HD120, 10FFF, 60 MU into an arc of four minutes; paused."""
    it = machine(NAME)
    sim = Run(order_for(it, [small_arc(it, mu=9000.0, points=60, gantry=(-170.0, 170.0))]))
    while int(sim.control.job["phase"][0]) != int(Phase.BEAM) or sim.mu(1) < 60.0:
        sim.step(20)
    return sim
