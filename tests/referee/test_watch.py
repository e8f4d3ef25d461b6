"""A referee that stops a run, and one that only watches: both see the same, and the record says which of them it was."""

import json
from pathlib import Path

import pytest

from linac_ctl.cli.main import main
from linac_ctl.records.manifest import read_manifest

STUCK = str(Path(__file__).with_name("stuck_beam.yaml"))
VIOLATED = 9


def run(out: Path, capsys: pytest.CaptureFixture[str], *how: str) -> tuple[int, dict]:
    """-> (exit code, result) of a session in which trigger and contactor stick while somebody opens the door."""
    with pytest.raises(SystemExit) as end:
        main(["run", "faults_short", "--faults", STUCK, "--out", str(out), "--no-report", "--json", *how])
    return int(end.value.code or 0), json.loads(capsys.readouterr().out)


def test_a_referee_that_watches_lets_the_harm_be_seen_and_says_that_it_did(tmp_path, capsys):
    code, stopped = run(tmp_path / "stopped", capsys)
    assert code == VIOLATED and "violated: pulses" in stopped["reason"] and stopped["referee"]["in_line"] == "stop"

    code, watched = run(tmp_path / "watched", capsys, "--referee", "watch")
    assert code == VIOLATED and watched["referee"]["in_line"] == "watch" and "referee" not in watched["reason"]
    assert {*stopped["referee"]["violated"]} <= {*watched["referee"]["violated"]}
    given = {name: one["beams"][0]["true_mu"] for name, one in (("stop", stopped), ("watch", watched))}
    assert given["stop"] < 6.5 and given["watch"] > 40.0  # MU of 40, with the door open since 6.1
    assert read_manifest(tmp_path / "watched").referee == "watch" and read_manifest(tmp_path / "stopped").referee == "stop"
    events = (tmp_path / "watched" / "events.jsonl").read_text()
    assert "noted a violation, and only watches" in events and "stopped the run" not in events
    assert main(["replay", str(tmp_path / "watched")]) == 0  # as it was: watched


def test_the_report_of_a_watched_run_says_so(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["run", "faults_short", "--faults", STUCK, "--out", str(tmp_path / "run"), "--referee", "watch"])
    assert "it only watched" in capsys.readouterr().out
    assert "did not stop this run" in (tmp_path / "run" / "report.html").read_text()
