"""The control socket of an armed session: faults in and out while it runs, all of it on record, all of it again in a replay."""

import json
import socket
import stat

import pytest

from linac_ctl.cli.main import main
from linac_ctl.errors import FaultScheduleError, RefusedError, UsageError
from linac_ctl.live.client import ask
from linac_ctl.live.place import NAME, address
from linac_ctl.replay.replay import replay
from tests.live.spoken import Spoken

LEAF = {"mode": "ACT-04", "set": {"leaf": 17}}


@pytest.fixture
def session(tmp_path):
    """Armed, running at a limited speed."""
    spoken = Spoken(tmp_path / "run")
    yield spoken
    spoken.close()
    spoken.sim.loop.close()


def test_a_fault_goes_in_acts_and_goes_out_again(session):
    def say():
        fault = {"signal": "gantry.readback", "behaviour": "bias", "size": 5.0, "id": "lie"}
        inside = said = ask(session.path, do="inject", fault=fault)
        while said["cycle"] == inside["cycle"]:
            said = ask(session.path, do="list")
        return inside, said, ask(session.path, do="clear", id="lie")

    inside, acting, outside = session.talk(say)
    assert inside["faults"][0]["state"] == "active" and inside["faults"][0]["injected_cycle"] == inside["cycle"] + 1
    assert acting["faults"][0]["effective_cycle"] == inside["cycle"] + 1
    assert outside["faults"][0]["state"] == "cleared" and outside["faults"][0]["cleared_cycle"] == outside["cycle"] + 1


def test_a_fault_may_wait_for_its_moment(session):
    said = session.talk(lambda: ask(session.path, do="inject", fault=LEAF | {"when": {"mu": 20, "beam": 2}}))
    assert [fault["state"] for fault in said["faults"]] == ["waiting"]


def test_names_that_are_taken_get_a_number(session):
    def say():
        ask(session.path, do="inject", fault=LEAF)
        return ask(session.path, do="inject", fault=LEAF | {"set": {"leaf": 18}})

    assert [fault["id"] for fault in session.talk(say)["faults"]] == ["ACT-04", "ACT-04-2"]


@pytest.mark.parametrize("request_, error, words", [
    ({"do": "inject", "fault": {"mode": "ACT-4"}}, FaultScheduleError, "did you mean ACT-04"),
    ({"do": "inject", "fault": {"mode": "ACT-04", "set": {"leef": 1}}}, FaultScheduleError, "no setting 'leef'; did you mean leaf"),
    ({"do": "inject", "fault": {"mode": "ACT-04", "set": {"leaf": 500}}}, FaultScheduleError, "not from 0 to 119"),
    ({"do": "inject", "fault": {"signal": "gantry.readbak", "behaviour": "freeze"}}, FaultScheduleError, "did you mean readback"),
    ({"do": "inject", "fault": {"mode": "ACT-04", "when": {"phase": "treat"}}}, FaultScheduleError, "phase"),
    ({"do": "inject", "fault": "leaf"}, FaultScheduleError, "as in a schedule"),
    ({"do": "inject", "fault": {"mode": "DAT-03"}}, FaultScheduleError, "when the session is loaded.*--faults FILE"),
    ({"do": "inject", "fault": LEAF | {"when": {"fault": "leef"}}}, FaultScheduleError, "no fault 'leef' in this run"),
    ({"do": "inject", "fault": LEAF | {"wen": {"mu": 1}}}, FaultScheduleError, "wen: .*did you mean 'when'"),
    ({"do": "clear", "id": "nobody"}, FaultScheduleError, "'nobody': not in this run"),
    ({"do": "inject"}, UsageError, "inject needs fault"),
    ({"do": "stop"}, UsageError, "it can be inject, clear, list"),
])
def test_what_cannot_be_is_refused_with_the_nearest_and_leaves_no_event(session, request_, error, words):
    with pytest.raises(error, match=words):
        session.talk(lambda: ask(session.path, **request_))
    assert not [event for event in session.sim.events if event.who in ("control", "fault")]


def test_a_run_that_somebody_talked_to_is_replayed_bit_for_bit(session, tmp_path):
    def say():
        ask(session.path, do="inject", fault={"signal": "mlc[17].readback", "behaviour": "bias", "size": 3.0, "when": {"mu": 20}})
        ask(session.path, do="inject", fault={"mode": "SEN-12", "id": "blip"})
        return ask(session.path, do="clear", id="blip")

    session.talk(say)
    run = session.end()
    done = [event for event in map(json.loads, (run / "events.jsonl").read_text().splitlines()) if event["who"] == "control"]
    assert [event["what"] for event in done] == ["inject mlc[17].readback", "inject blip (SEN-12)", "clear blip"]
    found = replay(run)
    assert found.equal, found.divergence
    assert [one.id for one in found.sim.injector.evidence() if one.activated] != []


def test_a_session_that_is_not_armed_says_so(tmp_path):
    spoken = Spoken(tmp_path / "run", armed=False)
    with pytest.raises(RefusedError, match="not armed"):
        ask(spoken.path, do="list")
    spoken.sim.loop.close()


def test_no_folder_and_a_run_that_is_over_are_told_apart(session, tmp_path):
    with pytest.raises(RefusedError, match="no run folder"):
        ask(tmp_path / "nowhere", do="list")
    session.sim.stop_after(1.0)
    with pytest.raises(RefusedError, match="is over"):
        ask(session.end(), do="list")


def test_the_socket_is_its_owners_and_goes_with_the_session(session):
    assert stat.S_IMODE((session.path / NAME).stat().st_mode) == 0o600
    session.close()
    assert not (session.path / NAME).exists()


def test_a_path_longer_than_a_socket_may_have_does(tmp_path):
    spoken = Spoken(tmp_path / ("long-" * 24) / "run")
    assert spoken.talk(lambda: ask(spoken.path, do="list"))["faults"] == []
    spoken.sim.loop.close()


def test_somebody_who_talks_nonsense_or_leaves_disturbs_nobody(session):
    def say():
        with socket.socket(socket.AF_UNIX) as wire, address(session.path) as place:
            wire.connect(place)
            wire.sendall(b"hello\n")
            answered = json.loads(wire.makefile("rb").readline())
        with socket.socket(socket.AF_UNIX) as wire, address(session.path) as place:
            wire.connect(place)
            wire.sendall(b"x" * 100_000)
        return answered, ask(session.path, do="list")

    answered, said = session.talk(say)
    assert answered["error"]["kind"] == "UsageError" and said["faults"] == []


def test_the_command_line_says_the_same(session, capsys):
    run, later = ("--run", str(session.path)), ("--when", "mu=20", "--when", "beam=2", "--id", "leaf")

    def say():
        return [main(("fault", "inject", "ACT-04", "--set", "leaf=17", *later, *run)),
                main(("fault", "inject", "--signal", "gantry.readback", "--behaviour", "freeze", "--lasts", "blip", *run)),
                main(("fault", "clear", "leaf", *run)), main(("fault", "list", *run)), main(("fault", "inject", "ACT-4", *run))]

    assert session.talk(say) == [0, 0, 0, 0, 3]
    out, err = capsys.readouterr()
    assert "leaf           ACT-04                   waiting" in out and "gantry.readback" in out and "did you mean ACT-04" in err
