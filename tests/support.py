"""Small plans in memory, orders and whole runs, for every test that needs a session without files.

    from tests.support import machine, small_arc, order_for, run
    sim = run(order_for("bench_small", [small_arc(machine("bench_small"))], seed=3))
    assert sim.error is None and sim.mu(1) == pytest.approx(8.0, abs=0.1)
    sim.rows()             # records.rows.Rows of the whole run, one row per two cycles
    sim.finish()           # the digest; once per simulation
    sim.linac.panel.history, sim.events, sim.true_mu(), sim.plant ...

`bench_small` has gantry, collimator, four jaws, 10 leaf pairs, carriages and couch; a short beam with everything around
it takes about 40 s of machine time and some tens of ms of ours; on `quick()` 10 s. Nothing is written unless
`run(..., folder=...)`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from linac_ctl.app import Simulation
from linac_ctl.config.loader import Machine, load, load_machine, validate
from linac_ctl.config.session import WorkflowConfig
from linac_ctl.interlocks.table import InterlockTable
from linac_ctl.order import DEFAULT_PEOPLE, Order
from linac_ctl.plan.model import Beam, FractionGroup, Plan
from linac_ctl.sequencer.staff import Act, Person
from linac_ctl.sequencer.workflow import build

SMALL = "bench_small"
STAND_IN = Path(__file__).resolve()  # a plan in memory has no file; the session checks the bytes of this one instead


@cache
def machine(name: str = SMALL) -> Machine:
    """A machine of configs/machines."""
    return load_machine(name)


@cache
def quick(name: str = SMALL) -> Machine:
    """The same machine, warm in 0.2 s, its couch where it is wanted: a session of about ten seconds."""
    slow = machine(name)
    source = slow.plant.source.model_copy(update={"warm_up_s": 0.2, "carousel_deg_per_s": 400.0})
    couch = tuple(axis.model_copy(update={"start": 0.0}) for axis in slow.plant.couch)
    return replace(slow, plant=slow.plant.model_copy(update={"source": source, "couch": couch}))


def beam(the_machine: Machine, number: int, technique: str, cumulative_mu: Any, gantry_deg: Any, leaf_mm: Any, *,
         mode: str = "10FFF", couch: Any = None, jaw_mm: Any = (-60.0, 60.0, -50.0, 50.0)) -> Beam:
    """A beam from its tables. leaf_mm: (n, 2 p) or None; gantry_deg: (n,) or one angle; couch: (6,), zero by default."""
    config = the_machine.controller
    mu = np.asarray(cumulative_mu, float)
    n = len(mu)
    leaves = None if config.mlc is None or leaf_mm is None else np.round(np.broadcast_to(leaf_mm, (n, 2 * config.mlc.pairs)), 3)
    return Beam(
        number=number, name=f"{technique} {number}", technique=technique, mode=mode, mu=float(mu[-1]), dose_rate_mu_per_min=None,
        cumulative_mu=np.round(mu, 6), gantry_deg=np.round(np.broadcast_to(gantry_deg, n), 3).copy(),
        collimator_deg=np.zeros(n), jaw_mm=np.tile(np.asarray(jaw_mm, float), (n, 1)),
        leaf_mm=None if leaves is None else leaves.copy(),
        leaf_boundaries_mm=None if leaves is None or config.mlc is None else np.array(config.mlc.boundaries_mm),
        couch=np.tile(np.zeros(6) if couch is None else np.asarray(couch, float), (n, 1)))


def gap(the_machine: Machine, middle_mm: Any, width_mm: float = 20.0) -> Any:
    """(n, 2 p) leaves around `middle_mm`, which is (n, p) or (n, 1): one gap per pair."""
    pairs = the_machine.controller.mlc.pairs if the_machine.controller.mlc else 0
    middle = np.broadcast_to(middle_mm, (len(middle_mm), pairs))
    return np.hstack([middle + width_mm / 2, middle - width_mm / 2])


def small_arc(the_machine: Machine | None = None, *, number: int = 1, mu: float = 8.0, points: int = 6,
              gantry: tuple[float, float] = (-10.0, 10.0), mode: str = "10FFF", seed: int = 1, couch: Any = None) -> Beam:
    """A short modulated arc: every leaf pair wanders by up to 3 mm from control point to control point."""
    it = the_machine or machine()
    walk = np.cumsum(np.random.default_rng(seed).uniform(-3, 3, (points, max(gap_pairs(it), 1))), axis=0)
    return beam(it, number, "arc", np.linspace(0, mu, points) ** 1.05 / mu**0.05, np.linspace(*gantry, points),
                gap(it, walk), mode=mode, couch=couch)


def small_static(the_machine: Machine | None = None, *, number: int = 1, mu: float = 5.0, gantry: float = 0.0,
                 mode: str = "10FFF", couch: Any = None) -> Beam:
    """An open field."""
    it = the_machine or machine()
    return beam(it, number, "static", [0.0, mu], gantry, gap(it, np.zeros((2, 1)), 60.0), mode=mode, couch=couch)


def small_sliding_window(the_machine: Machine | None = None, *, number: int = 1, mu: float = 10.0, mode: str = "6X",
                         gantry: float = 20.0, way_mm: float = 40.0) -> Beam:
    """A 20 mm gap that sweeps `way_mm` while the gantry stands."""
    it = the_machine or machine()
    points = 5
    sweep = np.linspace(-way_mm / 2, way_mm / 2, points)[:, None]
    return beam(it, number, "sliding_window", np.linspace(0, mu, points), gantry, gap(it, sweep), mode=mode)


def small_step_and_shoot(the_machine: Machine | None = None, *, number: int = 1, mu: float = 6.0, mode: str = "6X",
                         gantry: float = -20.0, segments: int = 3) -> Beam:
    """Equal segments 15 mm apart; leaves move only between them."""
    it = the_machine or machine()
    places = np.repeat(np.arange(segments) * 15.0 - 15.0, 2)[:, None]
    steps = np.repeat(np.arange(segments + 1), 2)[1:-1] * (mu / segments)
    return beam(it, number, "step_and_shoot", steps, gantry, gap(it, places), mode=mode)


def gap_pairs(the_machine: Machine) -> int:
    """Leaf pairs of a machine; 0 without MLC."""
    return the_machine.controller.mlc.pairs if the_machine.controller.mlc else 0


def plan_of(beams: Sequence[Beam], path: Path = STAND_IN) -> Plan:
    """One fraction group with these beams in order; `path` is the file whose bytes the session guards."""
    group = FractionGroup(1, 1, tuple(b.number for b in beams))
    return Plan("small", "1.2.3", "test", "Test^Plan", tuple(beams), (group,), source="in memory",
                sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def order_for(the_machine: Machine | str = SMALL, beams: Sequence[Beam] | None = None, seed: int = 1, workflow: str = "bench", *,
              script: Sequence[Act] = (), people: tuple[Person, ...] = DEFAULT_PEOPLE, reaction_s: float = 1.0,
              longest_s: float = 7200.0, steps: Sequence[dict[str, Any]] | None = None, plan_path: Path = STAND_IN) -> Order:
    """An order for beams in memory (one small arc by default). `steps` replaces the workflow file's list of steps."""
    it = machine(the_machine) if isinstance(the_machine, str) else the_machine
    flow_file, table_file = load("workflows", workflow), load("interlocks", it.interlocks)
    settings = [step.model_dump() for step in validate(WorkflowConfig, flow_file).steps] if steps is None else list(steps)
    return Order(
        name="test", machine=it, table=validate(InterlockTable, table_file), workflow=workflow,
        steps=build(settings, workflow), plan=plan_of(beams or [small_arc(it)], plan_path), plan_path=plan_path, group=None,
        seed=seed, people=people, reaction_s=reaction_s, script=tuple(script), longest_s=longest_s, configuration={}, files=())


class Run(Simulation):
    """A simulation that keeps its rows in memory (without a folder, rows are otherwise overwritten when their buffer is full)."""

    def __init__(self, order: Order, folder: Any = None, **kw: Any) -> None:
        super().__init__(order, folder, **kw)
        self.keep_rows()

    def mu(self, number: int) -> float:
        """True MU that a beam has given."""
        return self.true_mu().get(number, 0.0)


def run(order: Order, folder: Any = None, **kw: Any) -> Run:
    """Build and run; keywords as of `Simulation`. What stopped the session, if anything, is in `.error`."""
    sim = Run(order, folder, **kw)
    sim.run()
    return sim


def digest_of(order: Order, **kw: Any) -> str:
    """Digest of a whole run of this order."""
    return run(order, **kw).finish()
