"""`linac-ctl run` from outside: delivered, partial, resumed, interrupted, latched."""

import json
import signal
import time
from pathlib import Path

import pytest

from linac_ctl.records.run_record import RunRecord
from tests.system.cli import QUICK, call, result, run_quick, start

MU = 420.0


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was stopped after 50 s of machine time, some 20 s into its beam."""
    folder = tmp_path_factory.mktemp("partial") / "run"
    assert run_quick(folder, "--run-for", "50") == 1
    answer = result(folder)
    assert answer["outcome"] == "partial" and "stopped as asked after 50 s" in answer["reason"]
    assert 20.0 < answer["beams"][0]["true_mu"] < MU - 20.0
    return folder


def test_a_run_delivers_and_says_where_everything_is(tmp_path: Path) -> None:
    done = call("run", "palliative", *QUICK, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("DELIVERED") and str(tmp_path / "run" / "result.json") in done.stdout
    assert "not a medical device" in done.stdout
    record = RunRecord.open(tmp_path / "run")
    assert record.result is not None and record.result.outcome == "delivered"
    assert record.result.beams[0].true_mu == pytest.approx(MU, abs=0.1)
    assert not (tmp_path / "run" / "reserve").exists()


def test_json_is_the_result_file_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_quick(tmp_path / "run", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer.pop("folder") == str(tmp_path / "run")
    assert answer == result(tmp_path / "run")


def test_a_stopped_run_is_resumed_with_exactly_what_is_left(partial: Path, tmp_path: Path) -> None:
    done = call("run", "--resume", partial, "--out", tmp_path / "rest", "--no-report")
    assert done.returncode == 0, done.stderr
    first, rest = result(partial)["beams"][0], result(tmp_path / "rest")["beams"][0]
    assert rest["start_mu"] == pytest.approx(first["delivered_mu"], abs=1e-5)  # both chambers agree
    assert rest["delivered_mu"] == pytest.approx(MU, abs=0.1)
    given = first["true_mu"] + rest["true_mu"] - rest["start_mu"]
    assert given == pytest.approx(MU, abs=0.15)  # truth: nothing lost, nothing doubled
    again = call("run", "--resume", tmp_path / "rest", "--out", tmp_path / "more")
    assert again.returncode == 1 and "nothing to resume" in again.stderr and not (tmp_path / "more").exists()


def test_a_resumed_run_refuses_a_plan_that_was_changed_in_the_record(partial: Path, tmp_path: Path) -> None:
    plan = partial / "plan.dcm"
    before = plan.read_bytes()
    try:
        plan.write_bytes(before.replace(b"420.0", b"470.0") if b"420.0" in before else before + b"\0\0")
        done = call("run", "--resume", partial, "--out", tmp_path / "rest")
    finally:
        plan.write_bytes(before)
    assert done.returncode in (1, 3) and not (tmp_path / "rest").exists()
    assert len(done.stderr.strip().splitlines()) == 1


def test_ctrl_c_takes_the_beam_away_and_leaves_a_complete_record_that_stays_latched(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    child = start("run", "palliative", *QUICK, "--speed", "20", "--out", folder)
    wait_for_dose(folder, 30.0)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130, err
    record = RunRecord.open(folder)
    assert record.result is not None and record.result.outcome == "terminated"
    assert "aborted by the operator" in record.result.reason
    rows = record.rows()
    tripped = next(e.cycle for e in record.events() if e.what == "ABORT")
    assert rows["permit"][rows["cycle"] > tripped].max() == 0
    assert 0 < record.delivered(1) < MU
    refused = call("run", "--resume", folder, "--out", tmp_path / "rest")
    assert refused.returncode == 1 and "still latched: ABORT" in refused.stderr and not (tmp_path / "rest").exists()
    reset = call("interlocks", "reset", "ABORT", "--run", folder, "--who", "anna", "--role", "therapist", "--reason", "mistaken")
    assert reset.returncode == 0, reset.stderr
    assert RunRecord.open(folder).events()[-1].what == "reset ABORT"
    done = call("run", "--resume", folder, "--out", tmp_path / "rest", "--no-report")
    assert done.returncode == 0, done.stderr
    assert result(tmp_path / "rest")["beams"][0]["delivered_mu"] == pytest.approx(MU, abs=0.1)


def test_ctrl_c_before_any_beam_refuses_and_records(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    child = start("run", "palliative", *QUICK, "--speed", "10", "--out", folder)
    wait_until(lambda: (folder / "rows-0000.f32").exists() and (folder / "events.jsonl").stat().st_size > 0)
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    assert child.returncode == 130
    assert result(folder)["beams"][0]["true_mu"] == 0.0


@pytest.mark.parametrize("role, interlock, reason, words", [
    ("therapist", "MU_DIS", "looked", "a therapist may not reset it; call a physicist"),
    ("physicist", "MU_DIS", " ", "a reset needs a reason"), ("physicist", "MU_DSI", "looked", "latched are MU_DIS"),
])
def test_a_latch_is_reset_only_in_the_right_role_and_with_a_reason(partial: Path, role: str, interlock: str, reason: str,
                                                                  words: str) -> None:
    latches = partial / "latches.json"
    before = latches.read_text()
    try:
        latches.write_text('{"MU_DIS": {"cycle": 1, "value": 2.0, "reset_role": "physicist"}}')
        done = call("interlocks", "reset", interlock, "--run", partial, "--who", "x", "--role", role, "--reason", reason)
        assert done.returncode == 1 and words in done.stderr
        assert "MU_DIS" in json.loads(latches.read_text())
    finally:
        latches.write_text(before)


def wait_until(true: object, seconds: float = 60.0) -> None:
    """Look again and again; a run that never gets there fails the test."""
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.02)


def wait_for_dose(folder: Path, mu: float) -> None:
    """Until the journal of a running session shows so many MU of beam 1."""
    def enough() -> bool:
        if not (folder / "manifest.json").exists():  # the last of what a run begins with
            return False
        entries = RunRecord.open(folder).journal()
        return any(e.mu_1 >= mu for e in entries)

    wait_until(enough)


def test_a_run_that_waits_for_the_clock_reports_how_punctual_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_quick(tmp_path / "paced", "--speed", "100", "--run-for", "30") == 1
    text = capsys.readouterr().out
    paced, record = result(tmp_path / "paced"), RunRecord.open(tmp_path / "paced")
    assert paced["timing"]["cycles"] == paced["cycles"] and paced["timing"]["overruns"] == paced["overruns"]
    assert paced["timing"]["timer"] in ("timerfd", "sleep")
    said = [event for event in record.events() if event.who == "clock"]
    assert said[-1].what == "timing" and "Hz; late by" in said[-1].why and f"  real time: {said[-1].why}" in text
    assert bool(paced["overruns"]) == any(event.what == "overrun" for event in said)


def test_events_of_the_computer_are_no_part_of_the_digest(tmp_path: Path) -> None:
    run_quick(tmp_path / "paced", "--speed", "100", "--run-for", "30")
    run_quick(tmp_path / "free", "--run-for", "30")
    assert result(tmp_path / "free")["timing"] is None
    assert result(tmp_path / "paced")["digest"] == result(tmp_path / "free")["digest"]
