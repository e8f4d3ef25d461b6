"""Transition tables are complete: what is not in them cannot happen, and trying it changes nothing."""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from transitions import MachineError

from linac_ctl.subsystems.beam_states import BEAM_TABLE, BeamState
from linac_ctl.subsystems.motion import TABLE, State
from tests.subsystems.suite import Suite

Way = tuple[str, Any]


def ways(rows: list[list[Any]]) -> dict[Way, Any]:
    """(trigger, from) -> to."""
    found: dict[Way, Any] = {}
    for trigger, sources, to in rows:
        for source in sources if isinstance(sources, list) else [sources]:
            assert (trigger, source) not in found, f"{trigger} from {source} is there twice"
            found[trigger, source] = to
    return found


BEAM, MOTION = ways(BEAM_TABLE), ways(TABLE)
SUITE = Suite()


def device(kind: str) -> Any:
    return SUITE.linac.beam if kind == "beam" else SUITE.linac.gantry


CASES = [(kind, trigger, source, table.get((trigger, source)))
         for kind, table, states in (("beam", BEAM, BeamState), ("motion", MOTION, State))
         for trigger in sorted({t for t, _ in table}) for source in states]


@pytest.mark.parametrize(("kind", "trigger", "source", "to"), CASES)
def test_each_trigger_in_each_state_does_what_the_table_says_or_nothing(kind: str, trigger: str, source: Any, to: Any) -> None:
    it = device(kind)
    it.state = source
    job, image = SUITE.rig.job.copy(), SUITE.rig.image.beam.copy()
    if to is None:
        with pytest.raises(MachineError):
            it.trigger(trigger)
        assert it.state is source
    else:
        it.trigger(trigger)
        assert it.state is to
    assert SUITE.rig.job.tobytes() == job.tobytes() and SUITE.rig.image.beam.tobytes() == image.tobytes()


@pytest.mark.parametrize(("table", "states", "start"), [(BEAM, BeamState, BeamState.OFF), (MOTION, State, State.IDLE)])
def test_every_state_can_be_reached_and_left(table: dict[Way, Any], states: Any, start: Any) -> None:
    reached, new = {start}, {start}
    while new:
        new = {to for (_, source), to in table.items() if source in reached} - reached
        reached |= new
    assert reached == set(states)
    assert {source for _, source in table} == set(states)


def test_beam_on_is_entered_from_armed_or_held_only_and_a_trip_leads_out_of_everything_but_off() -> None:
    into = {way for way, to in BEAM.items() if to is BeamState.ON}
    assert into == {("start", BeamState.ARMED), ("release", BeamState.HELD)}
    ends = {BeamState.OFF, BeamState.TERMINATED}
    assert {s for (t, s) in BEAM if t == "terminate"} == set(BeamState) - ends
    assert {s for (t, s) in BEAM if t == "interrupt"} == set(BeamState) - ends - {BeamState.INTERRUPTED}
    assert not {t for (t, s) in BEAM if s is BeamState.TERMINATED} - {"reselect"}


@pytest.mark.parametrize("kind", ["beam", "motion"])
def test_no_way_leads_around_the_table(kind: str) -> None:
    it = device(kind)
    assert not [name for name in dir(it) if name.startswith(("to_", "may_to_"))]


class Machines(RuleBasedStateMachine):
    """Any sequence of triggers: the model is the table, read by the test itself."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: dict[str, Any] = {"beam": BeamState.OFF, "motion": State.IDLE}
        for kind, state in self.expected.items():
            device(kind).state = state

    @rule(kind=st.just("beam"), trigger=st.sampled_from(sorted({t for t, _ in BEAM})))
    def beam(self, kind: str, trigger: str) -> None:
        self.pull(kind, trigger, BEAM)

    @rule(kind=st.just("motion"), trigger=st.sampled_from(sorted({t for t, _ in MOTION})))
    def motion(self, kind: str, trigger: str) -> None:
        self.pull(kind, trigger, MOTION)

    def pull(self, kind: str, trigger: str, table: dict[Way, Any]) -> None:
        to = table.get((trigger, self.expected[kind]))
        if to is None:
            with pytest.raises(MachineError):
                device(kind).trigger(trigger)
        else:
            device(kind).trigger(trigger)
            self.expected[kind] = to

    @precondition(lambda self: True)
    @invariant()
    def states_are_the_tables(self) -> None:
        for kind, state in self.expected.items():
            assert device(kind).state is state


TestMachines = Machines.TestCase
