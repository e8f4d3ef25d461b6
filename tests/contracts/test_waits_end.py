"""Everything that waits has a limit in machine time (K6)."""

import ast

import pytest

from linac_ctl.control.signals import Guard, Signal
from tests.contracts.sources import files, name, tree
from tests.support import Run, order_for, quick, small_static

WAITERS = ("linac_ctl/subsystems/", "linac_ctl/sequencer/", "linac_ctl/app.py")
INNER = [path for path in files("linac_ctl") if name(path).startswith(WAITERS)]
ENDLESS = ("create_future", "Condition", "Queue", "Semaphore", "wait", "gather")  # nothing gives these a limit by itself
LIMITED_ELSEWHERE = {
    ("linac_ctl/subsystems/conditions.py", "create_future"),  # awaited under asyncio.timeout
    ("linac_ctl/sequencer/readiness.py", "wait"),  # for a move, which ends by the limits of its own conditions
}


def waits(path) -> list[tuple[str, int]]:
    """Calls in a file that can wait for ever."""
    found = []
    for node in ast.walk(tree(path)):
        called = node.func if isinstance(node, ast.Call) else None
        what = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
        if what in ENDLESS and (name(path), what) not in LIMITED_ELSEWHERE:
            found.append((what, node.lineno))
    return found


@pytest.mark.parametrize("path", INNER, ids=name)
def test_nothing_waits_but_for_conditions_and_for_time(path) -> None:
    assert not waits(path)


@pytest.mark.parametrize("path", INNER, ids=name)
def test_no_condition_is_awaited_without_a_limit(path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "until":
            limits = [*node.args[4:5], *(k.value for k in node.keywords if k.arg == "timeout_s")]
            assert not [x for x in limits if isinstance(x, ast.Constant) and x.value is None], f"line {node.lineno}"


def standing() -> Run:
    """A machine that was just powered up, without a session."""
    sim = Run(order_for(quick()))
    sim.linac.guard(Guard.NOT_ABORTED, True)
    sim.engine.power_up()
    return sim


@pytest.mark.parametrize("limit, ends_s", [({"timeout_s": 12.5}, 12.5), ({}, 600.0)], ids=["named", "when nobody names one"])
def test_a_condition_that_never_holds_ends_after_its_limit_of_machine_time(limit, ends_s: float) -> None:
    sim = standing()

    async def main() -> float:
        with pytest.raises(TimeoutError):
            await sim.linac.conditions.until(Signal.GANTRY_AWAY, "<=", -1.0, **limit)
        return sim.loop.time()

    assert sim.loop.run_until_complete(main()) == pytest.approx(ends_s)
    assert not sim.linac.conditions.waiting and not sim.control.watches["armed"].any()


def test_a_delivery_that_something_holds_for_good_ends_with_its_reason() -> None:
    it = quick()
    sim = Run(order_for(it, [small_static(it, mode="6X", mu=20.0)], reaction_s=0.1))

    def starve() -> None:
        if sim.mu(1) > 2.0:
            sim.plant.beam["missed_share"] = 1.0  # pulses that give no dose

    sim.observers.append((0.05, starve))
    sim.run()
    assert sim.error is not None and sim.engine.cycle < 100_000
    assert 2.0 < sim.mu(1) < 4.0


def test_a_session_that_takes_too_long_ends() -> None:
    sim = Run(order_for(quick(), longest_s=4.0))
    sim.run()
    assert "not over after 4 s" in str(sim.error)
    assert sim.engine.cycle <= 520
