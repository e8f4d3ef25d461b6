"""The checker is checked: a planted defect for every property, in a real run, and the referee goes red; without it, it does not."""

from dataclasses import replace
from functools import cache

import pytest

from device_models.referee.judging.facts import InjectedFact
from device_models.referee.judging.referee import judge
from device_models.referee.properties import PROPERTIES
from linac_ctl.errors import RefereeError
from linac_ctl.judged import facts, stopped
from tests.referee.canaries import CANARIES, Flawed, Judged, arc, turning, unverified, window
from tests.referee.made import Made
from tests.scenarios.bench import Bench
from tests.sequencer.guided import guided, room
from tests.support import order_for, quick, run, small_static

IN_LINE = ("SI-01", "SI-02", "SI-05", "SI-12", "SI-29")  # of these, the run itself is stopped
STOPPED_IN_LINE = {"SI-01": "SI-01", "SI-02": "SI-02", "SI-06": "SI-05", "SI-12": "SI-12", "SI-29": "SI-29"}  # canary -> by what


@cache
def judged(name: str) -> Judged:
    """Of one canary, once per process."""
    return CANARIES[name].run()


def test_every_property_has_a_canary() -> None:
    assert sorted(CANARIES) == sorted(it.id for it in PROPERTIES)


@pytest.mark.parametrize("name", sorted(CANARIES))
def test_the_planted_defect_goes_red(name: str) -> None:
    found = judged(name)
    assert isinstance(found.bench, Flawed) and found.bench.flawed, "the defect never acted"
    assert found.verdicts[name].outcome == "violated", found.verdicts[name]


@pytest.mark.parametrize("name, by", STOPPED_IN_LINE.items())
def test_a_beam_that_must_not_be_stops_the_run_at_once(name: str, by: str) -> None:
    found = judged(name)
    assert isinstance(found.bench.error, RefereeError) and by in str(found.bench.error)
    violated_cycle = int(found.bench.engine.trace.state["violated_cycle"][0])
    assert found.bench.last_pulse_s() * 100 - violated_cycle <= 20
    assert any(event.who == "referee" for event in found.bench.events)


def test_what_stopped_a_run_is_violated_however_many_faults_there_were() -> None:
    bench = judged("SI-06").bench
    four = tuple(InjectedFact(str(n), "", 0) for n in range(4))
    assert judge(bench.trace.rows(), bench.trace.leaves(), replace(facts(bench), injected=four))["SI-05"].outcome == "held"
    verdict = stopped(Made().verdict("SI-05"), bench.engine.trace.state[0])
    assert verdict.outcome == "violated" and verdict.margin == 0.0 and "6." in verdict.text


def test_all_that_is_looked_at_in_line_has_stopped_a_run() -> None:
    assert set(STOPPED_IN_LINE.values()) == set(IN_LINE)


@pytest.mark.parametrize("order", [
    lambda: order_for(quick(), [small_static(quick(), mu=20.0, mode="6X")]), arc, window, turning(), lambda: order_for(quick())])
def test_the_same_runs_without_a_defect_are_green(order: object) -> None:
    found = run(order()).verdicts()  # type: ignore[operator]
    assert not found.violated, found.line


@pytest.mark.parametrize("order", [guided, unverified])
def test_the_same_guided_runs_without_a_defect_are_green(order: object) -> None:
    bench = Bench(order(), prepared=room())  # type: ignore[operator]
    bench.run()
    assert bench.error is None and not bench.verdicts().violated, bench.verdicts().line
