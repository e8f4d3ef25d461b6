"""`linac-ctl campaign` from the file to the page, with real sessions; one clear error for whatever is wrong."""

import json
import re

import pytest

from linac_ctl.campaign.case import Case, Labels, schedule_text
from linac_ctl.campaign.ledger import Ledger
from linac_ctl.campaign.runner import run_case
from linac_ctl.cli.config import problems_of
from linac_ctl.cli.main import main
from linac_ctl.config.files import available

SMALL = """kind: campaign
name: small
sessions: [{session: faults_short}]
repeat: 1.0
fault_free: {runs: 1}
grid:
  modes: {ids: [DOS-01]}
  sizes: [0.5]
  after_s: {beam_on: [0.5, 1.0]}
"""
NEVER = [{"id": "f1", "signal": "beam.mu_1", "behaviour": "freeze", "when": {"phase": "resume"}}]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "small.yaml"
    path.write_text(SMALL)
    return str(path)


def run(capsys, *words):
    code = main(["campaign", *words])
    found = capsys.readouterr()
    return code, found.out, found.err


@pytest.mark.parametrize("name", available("campaigns"))
def test_the_campaigns_that_come_with_it_are_right(name):
    assert problems_of(name, "campaign") == []


def test_one_process_and_two_give_the_same_table_and_a_finished_one_has_nothing_left(tmp_path, capsys, file):
    tables = []
    for processes in ("0", "2"):
        folder = str(tmp_path / processes)
        code, out, _ = run(capsys, "run", file, "-j", processes, "--out", folder, "--json")
        found = json.loads(out)
        assert code == (1 if found["missed"] or found["failed"] else 0)
        assert (found["runs"], found["unfinished"], found["twins"]) == (2, 0, {"pairs": 2, "different": 0, "runs": []})
        assert found["activated"] == 1 and found["fault_free"]["runs"] == 1
        again = json.loads(run(capsys, "resume", folder, "--json")[1])
        tables += [found["table_sha256"], again["table_sha256"]]
    assert len({*tables}) == 1


def test_a_limit_and_a_resumed_rest_are_the_whole(tmp_path, capsys, file):
    code, out, _ = run(capsys, "run", file, "-j", "0", "--limit", "1", "--out", str(tmp_path / "c"), "--json")
    assert code in (0, 1) and json.loads(out)["total"] == 1 and json.loads(out)["runs"] == 1


def test_a_report_has_everything_beside_it(tmp_path, capsys, file):
    folder = tmp_path / "c"
    run(capsys, "run", file, "-j", "0", "--limit", "2", "--out", str(folder))
    code, out, _ = run(capsys, "report", str(folder), "--csv")
    assert code == 0 and "simulated, not for clinical use" in out
    assert {"ledger.sqlite", "report.html", "report.json", "junit.xml", "rows.csv"} <= {path.name for path in folder.iterdir()}


def test_a_fault_whose_moment_never_comes_is_not_reachable():
    case = Case(0, "x", "grid", "faults_short", 1, schedule_text(NEVER, "x"), Labels("DOS-01", "beam_on"))
    row = run_case(case)
    assert (row.verdict, row.activated, row.outcome) == ("not_reachable", False, "completed") and row.judged


def test_a_mode_that_is_not_there_any_more_is_a_row_and_not_the_end():
    gone = {"id": "f1", "mode": "XXX-99", "when": {"phase": "beam_on"}}
    case = Case(0, "x", "grid", "faults_short", 1, schedule_text([gone], "x"))
    assert run_case(case).verdict == "not_reachable" and "XXX-99" in run_case(case).reason


@pytest.mark.parametrize("words, code, message", [
    (["run", "nonsense"], 3, "no campaign named 'nonsense'"),
    (["run", "smoke", "--scheduler", "tcp://127.0.0.1:9"], 2, "--scheduler: is for --engine dask"),
    (["run", "smoke", "--engine", "dask"], 2, "which scheduler"),
    (["resume", "nowhere"], 7, "holds no campaign; begin one with"),
    (["report", "nowhere"], 7, "holds no campaign; begin one with"),
    (["run", "smoke", "--limit", "0"], 2, "is not in the range"),
])
def test_what_cannot_be_done_is_said_in_one_line(capsys, monkeypatch, tmp_path, words, code, message):
    answer, _, err = run(capsys, *words)
    assert answer == code and message in err


def test_a_wrong_file_names_the_place(tmp_path, capsys):
    path = tmp_path / "wrong.yaml"
    path.write_text(SMALL.replace("sizes: [0.5]", "sizes: [1.5]").replace("repeat: 1.0", "repeet: 1.0"))
    code, _, err = run(capsys, "run", str(path), "--out", str(tmp_path / "c"))
    assert code == 3 and re.search(r"wrong\.yaml:\d+:\d+: repeet: there is no such key; did you mean 'repeat'", err)
    assert not (tmp_path / "c").exists()


def test_a_session_that_has_changed_since_is_not_gone_on_with(tmp_path, capsys, file):
    folder = str(tmp_path / "c")
    run(capsys, "run", file, "-j", "0", "--limit", "1", "--out", folder)
    with Ledger.resume(tmp_path / "c") as ledger:
        asked = ledger.asked()
        ledger.note("asked", json.dumps(asked | {"inputs": {"faults_short": "other"}}))
    code, _, err = run(capsys, "resume", folder)
    assert code == 7 and "session 'faults_short' has changed" in err


def test_ctrl_c_ends_it_with_130_and_keeps_what_is_done(tmp_path, capsys, file, monkeypatch):
    from linac_ctl.cli.campaign_progress import Progress

    def stop(self, rows):
        raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "told", stop)
    code, out, _ = run(capsys, "run", file, "-j", "0", "--out", str(tmp_path / "c"))
    assert code == 130 and "3 runs are left" in out
