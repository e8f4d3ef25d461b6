"""What goes out is what was there; and being looked at changes no bit."""

import json

import pytest

from linac_ctl.sequencer.staff import Act
from linac_ctl.telemetry.frames import EVENT, INTERLOCK, NUMBERS, STATE, read_numbers, read_words
from linac_ctl.telemetry.snapshot import Snapshot
from tests.telemetry.sessions import Kept, session


class Told:
    """A session that was watched from its first cycle to its end, and all that was said of it."""

    def __init__(self, **kw: object) -> None:
        self.sim, self.sink = session(**kw), Kept()
        self.snapshot = Snapshot(self.sim, self.sink, machine="m", session="s", code_version="1", period_s=0.001)
        self.snapshot._gap_ns = 0  # every look of machine time, however fast it passes
        self.sim.observers.append((0.1, self.snapshot.look))
        self.sim.run()
        self.snapshot.tell()

    def numbers(self) -> list[tuple[object, dict]]:
        return [(stamp, self.snapshot.layout.messages(values))
                for stamp, values in (read_numbers(frame) for frame in self.sink.frames if frame[:1] == NUMBERS)]

    def words(self, kind: bytes) -> list[dict]:
        return [read_words(frame) for frame in self.sink.frames if frame[:1] == kind]


@pytest.fixture(scope="module")
def told() -> Told:
    return Told()


def test_being_watched_changes_no_bit(told):
    alone = session()
    alone.run()
    assert told.sim.error is None and told.sim.finish() == alone.finish()


def test_the_last_snapshot_is_the_end_of_the_session(told):
    stamp, last = told.numbers()[-1]
    assert stamp.t_ns == told.sim.loop.now_ns
    assert last["gantry", "telemetry"]["readback"] == [pytest.approx(float(told.sim.image.gantry["readback"][0]), abs=1e-4)]
    assert last["mlc", "telemetry"]["readback"] == pytest.approx(told.sim.image.mlc["readback"].tolist(), abs=1e-4)
    assert last["beam", "telemetry"]["mu_1"] == pytest.approx(8.0, abs=0.1)


def test_snapshots_are_numbered_without_a_gap_and_their_time_never_goes_back(told):
    stamps = [stamp for stamp, _ in told.numbers()]
    assert [stamp.seq for stamp in stamps] == list(range(1, len(stamps) + 1)) and len(stamps) > 50
    assert [stamp.t_ns for stamp in stamps] == sorted(stamp.t_ns for stamp in stamps)


def test_states_follow_the_session(told):
    beams = [one["beam", "state"] for _, one in told.numbers()]
    assert {"on", "off"} <= {beam["state"] for beam in beams}
    assert {True, False} == {beam["permit"] for beam in beams}
    assert "10FFF" in {beam["mode"] for beam in beams}
    steps = [state["data"]["step"] for state in told.words(STATE) if state["subsystem"] == "session"]
    assert len(dict.fromkeys(steps)) > 3


def test_every_event_goes_out_once_and_in_order(told):
    said = told.words(EVENT)
    assert [event["seq"] for event in said] == list(range(len(told.sim.events)))
    assert [(event["who"], event["what"]) for event in said] == [(event.who, event.what) for event in told.sim.events]


def test_axes_have_the_units_that_their_numbers_are_in(told):
    meta = told.snapshot.layout.meta()["subsystems"]
    assert meta["gantry"]["axes"] == [{"name": "gantry", "unit": "deg"}]
    assert [axis["unit"] for axis in meta["couch"]["axes"]] == ["mm", "mm", "mm", "deg", "deg", "deg"]
    for name, axes in told.snapshot.layout.axes.items():
        assert len(axes) == len(told.numbers()[0][1][name, "telemetry"]["readback"])


def test_a_subsystem_that_the_machine_does_not_have_is_not_told(told):
    assert not {"kv_arms", "mv_arm"} & {subsystem for subsystem, _ in told.numbers()[0][1]}


def test_everything_that_is_said_is_plain_json(told):
    for _, messages in told.numbers()[::20]:
        json.dumps(list(messages.values()), allow_nan=False)
    for kind in (EVENT, STATE, INTERLOCK):
        json.dumps(told.words(kind), allow_nan=False)


def test_a_stop_is_told_with_its_first_out_and_stands_as_long_as_it_is_in_force():
    script = [Act("press_estop", "anna", on="beam_on:1", after_s=2.0), Act("release_estop", "anna", on="stopped:1", after_s=4.0)]
    told = Told(script=script, mu=60.0)
    said = told.words(INTERLOCK)
    first = [row for row in said if row["change"] == "tripped" and row["first_out"]]
    assert [row["name"] for row in first] == [told.sim.linac.panel.history[0].name] == ["ESTOP"]
    tripped, cleared = ({row["name"] for row in said if row["change"] == change} for change in ("tripped", "cleared"))
    assert tripped == cleared
    active = [[row["name"] for row in one["data"]["active"]] for one in told.words(STATE) if one["subsystem"] == "interlocks"]
    assert any("ESTOP" in rows for rows in active) and active[-1] == []
