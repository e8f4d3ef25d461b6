"""(f) Real time: how punctual cycles are. A quiet machine is needed for figures that mean something."""

import time

from benchmarks.measure import Row
from linac_ctl.runtime.quiet import undisturbed
from tests.support import Run, order_for

SECONDS = 20.0


def rows() -> list[Row]:
    """20 s of a session on the HD120 machine at speed 1."""
    sim = Run(order_for("c_arm_hd120"), speed=1.0, realtime_interlock=True)
    sim.step()
    with undisturbed(True):
        begin, first = time.perf_counter(), sim.engine.cycle
        sim.run_for(SECONDS)
        rate = (sim.engine.cycle - first) / (time.perf_counter() - begin)
    pace = sim.loop.pace
    return [
        Row("mean rate", rate, "Hz", "100.00", f"{rate:.3f}"),
        Row("median lateness", pace.lateness.quantile_us(0.5) / 1e3, "ms", "< 0.3"),
        Row("99 % of cycles late by less than", pace.lateness.quantile_us(0.99) / 1e3, "ms", "< 1"),
        Row("latest cycle", pace.lateness.worst_us / 1e3, "ms"), Row("overruns", float(pace.overruns), "cycles", "0"),
    ]
