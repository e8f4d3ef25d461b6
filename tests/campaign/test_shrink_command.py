"""`campaign shrink` of one run or of a campaign's run: the command that it prints works as it stands, and the run fails again."""

import json
import shlex

import pytest
import yaml

from linac_ctl.campaign.case import Case, schedule_text
from linac_ctl.campaign.ledger import Ledger
from linac_ctl.campaign.runner import run_case
from linac_ctl.cli.main import main

UNSEEN = """kind: faults
name: cooling water that reads a little too warm, which nobody has to see, and a wire that stays as it is
faults:
  - {id: nothing, signal: collimator.readback, behaviour: gain, size: 1.0, when: {phase: setup}}
  - {id: little, signal: beam.water_c, behaviour: bias, size: 0.2, when: {phase: beam_on, after_s: 0.51}, lasts: {s: 2.0}}
"""
LEFT = [{"behaviour": "bias", "id": "little", "signal": "beam.water_c", "size": 0.2, "when": {"phase": "beam_on"}}]

@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Commands are run in a folder of somebody else's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "unseen.yaml").write_text(UNSEEN)
    return tmp_path


def call(capsys, *words):
    try:
        code = main([*words])
    except SystemExit as end:  # `run` ends like this
        code = end.code
    found = capsys.readouterr()
    return code, found.out, found.err


def shrink(capsys, *words):
    """-> what it found."""
    code, out, err = call(capsys, "campaign", "shrink", *words, "--json")
    assert code == 0, out + err
    return json.loads(out)


def run_as_printed(capsys, found):
    """The result of the command, word for word."""
    program, *words = shlex.split(found["command"])
    assert program == "linac-ctl"
    _, out, err = call(capsys, *words, "--no-report", "--json")
    assert out, err
    return json.loads(out)


def test_a_run_folder_is_made_small_and_the_printed_command_gives_that_run(folder, capsys):
    call(capsys, "run", "faults_short", "--seed", "3", "--faults", "unseen.yaml", "--out", "my runs/a", "--no-report")
    found = shrink(capsys, "my runs/a")
    assert (found["verdict"], found["faults_before"], found["faults"]) == ("missed", 2, LEFT)
    result = run_as_printed(capsys, found)
    assert result["digest"] == found["digest"] and [one["id"] for one in result["faults"]] == ["little"]
    assert result["faults"][0]["effective_s"] is not None


def test_a_run_of_another_plan_and_workflow_keeps_both(folder, capsys):
    call(capsys, "plan", "make", "single_field", "--mu", "30", "--out", "other.dcm")
    call(capsys, "run", "faults_short", "--plan", "other.dcm", "--workflow", "bench", "--faults", "unseen.yaml", "--out", "b",
         "--no-report")
    found = shrink(capsys, "b")
    assert "--workflow bench" in found["command"] and "--plan b/plan.dcm" in found["command"]
    assert run_as_printed(capsys, found)["digest"] == found["digest"]


def test_the_worst_run_of_a_campaign_is_made_small_and_the_printed_command_gives_that_run(folder, capsys):
    faults = yaml.safe_load(UNSEEN)["faults"]
    case = Case(0, "0123456789ab", "swarm", "faults_short", 3, schedule_text(faults, "x"))
    with Ledger.create(folder / "c", {}) as ledger:
        ledger.add([run_case(case)])
    found = shrink(capsys, "c")
    assert found["id"] == case.id and found["faults"] == LEFT
    assert run_as_printed(capsys, found)["digest"] == found["digest"]


@pytest.mark.parametrize("faults, words, code, message", [
    ([], [], 1, "no faults were injected in this run"),
    (["--faults", "none"], [], 1, "no faults were injected in this run"),
    (["--faults", "unseen.yaml"], ["1234567890ab"], 2, "one run, not a campaign"),
    (["--faults", "unseen.yaml", "--run-for", "2"], [], 1, "a part of a session"),
])
def test_a_run_that_cannot_be_made_small_says_why(folder, capsys, faults, words, code, message):
    call(capsys, "run", "faults_short", *faults, "--out", "r", "--no-report")
    answer, _, err = call(capsys, "campaign", "shrink", "r", *words)
    assert answer == code and message in err


def test_a_run_whose_session_has_changed_since_is_refused(folder, capsys):
    call(capsys, "run", "faults_short", "--faults", "unseen.yaml", "--out", "r", "--no-report")
    config = json.loads((folder / "r" / "config.json").read_text())
    config["session"]["data"]["time_limit_s"] = 299.0
    (folder / "r" / "config.json").write_text(json.dumps(config))
    code, _, err = call(capsys, "campaign", "shrink", "r")
    assert code == 1 and "not those of then" in err and "--faults r/faults.json" in err
