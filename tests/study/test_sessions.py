"""`study sessions`: whole sessions over many seeds; the table continues where it was left, and the summary says what it holds."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from linac_ctl.cli import session_pool
from linac_ctl.cli.session_pool import row_of
from linac_ctl.cli.study_sessions import known, quantiles, summary, text
from linac_ctl.errors import RefusedError
from tests.sequencer.guided import guided, looking, room
from tests.support import run


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions of the small kind, in this process: what is tried is the table."""
    def all_of(session: str, seeds: list[int], processes: int, done: object) -> bool:
        for seed in seeds:
            done(row_of(run(guided(seed=seed, rules=looking(), mu=20.0, mode="6X"), prepared=room()), seed))  # type: ignore[operator]
        return True

    monkeypatch.setattr(session_pool, "all_of", all_of)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "sessions.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_row_says_what_the_session_was() -> None:
    sim = run(guided(rules=looking(), mu=20.0, mode="6X"), prepared=room())
    row = row_of(sim, 1)
    assert (row.outcome, row.images, row.shifts, row.interlocks) == ("delivered", 2, 1, "")
    assert row.residual_mm == sim.residuals[1][0] and row.levels == "shift_and_verify no_shift" and row.triggered >= 1
    assert row.mu_off is not None and row.mu_off < 0.1


def test_a_session_that_is_refused_has_its_reason_and_no_residual() -> None:
    row = row_of(run(guided(error=(0.0, 0.0, 22.0, 0.0, 0.0, 0.0)), prepared=room()), 1)
    assert row.outcome == "refused" and "set the patient up again" in row.reason and row.residual_mm is None and row.mu_off is None


def test_the_summary_counts_and_its_99_per_cent_is_a_value_that_so_many_do_not_exceed() -> None:
    assert quantiles([float(k) for k in range(1, 201)]) == {"median": 100.0, "95": 190.0, "99": 198.0, "worst": 200.0}
    assert quantiles([]) == {}
    cells = {"seed": "1", "outcome": "delivered", "reason": "", "simulated_s": "10.0", "residual_mm": "0.5",
             "last_residual_mm": "0.6", "interlocks": "GATE GATE", "holds": "2", "shifts": "1", "triggered": "3", "mu_off": "0.02"}
    found = summary("any", [cells, cells | {"outcome": "refused", "reason": "why", "residual_mm": "", "mu_off": ""}], 1.0)
    assert found["outcomes"] == {"delivered": 1, "refused": 1} and found["interlocks"] == {"GATE": 4}
    said = text(found, Path("there"))
    assert "1 x why" in said and "GATE 4" in said and "99 % 0.50 mm" in said and "not for clinical use" in said


def test_rows_of_another_session_are_not_continued(tmp_path: Path) -> None:
    (tmp_path / "sessions.csv").write_text("seed\n1\n")
    (tmp_path / "session.txt").write_text("one\n")
    assert known(tmp_path, "one") == [{"seed": "1"}] and known(tmp_path / "no", "one") == []
    with pytest.raises(RefusedError, match="holds sessions of 'one', not of 'other'"):
        known(tmp_path, "other")


def test_the_same_command_goes_on_with_the_seeds_that_are_missing(tmp_path: Path, here: None) -> None:
    from linac_ctl.cli.study_sessions import command

    folder = tmp_path / "study"
    runner = CliRunner()
    for seeds in ("1", "2", "2"):
        done = runner.invoke(command, ["any", "--seeds", seeds, "--out", str(folder), "--json"], standalone_mode=False)
        assert done.exception is None and done.return_value == 0
    assert sorted(int(row["seed"]) for row in rows(folder)) == [1, 2]
    assert json.loads((folder / "summary.json").read_text())["sessions"] == 2
