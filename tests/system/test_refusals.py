"""What the command line says to bad input: one clear line on stderr, the right exit code, and no folder left behind."""

from pathlib import Path
from typing import Any

import pytest

from linac_ctl.plan.make import write_plan
from tests.system.cli import QUICK, inside, run_quick

USAGE, REFUSED, RECORD = 2, 3, 5


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Any:
    """A check: these words on stderr, nothing on stdout, this exit code."""
    def check(words: str, code: int, *arguments: object) -> None:
        capsys.readouterr()
        got = inside("run", *arguments)
        out, err = capsys.readouterr()
        assert (got, out) == (code, ""), err
        assert words in err and "Traceback" not in err and len(err.strip().splitlines()) <= 2 + err.count('beam ')
    return check


@pytest.mark.parametrize("words, code, arguments", [
    ("did you mean 'palliative'", REFUSED, ["paliative"]),
    ("did you mean 'c_arm_m120'", REFUSED, ["palliative", "--machine", "c_arm_m12"]),
    ("did you mean 'no_image'", REFUSED, ["palliative", "--workflow", "no_imag"]),
    ("--speed '0'", USAGE, ["palliative", "--speed", "0"]),
    ("--speed 'fast'", USAGE, ["palliative", "--speed", "fast"]),
    ("--speed 'nan'", USAGE, ["palliative", "--speed", "nan"]),
    ("'--seed'", USAGE, ["palliative", "--seed", "x"]),
    ("--seed", USAGE, ["palliative", "--seed", "-1"]),
    ("--run-for", USAGE, ["palliative", "--run-for", "-3"]),
    ("not a run folder", RECORD, ["--resume", "configs"]),
    ("not a run folder", RECORD, ["--resume", "nowhere"]),
    ("leave --plan", USAGE, ["--resume", "configs", "--plan", "x.dcm"]),
])
def test_words_that_make_no_sense_are_answered_with_what_would(words: str, code: int, arguments: list[str], said: Any,
                                                                  tmp_path: Path) -> None:
    said(words, code, *arguments, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name, content, words", [
    ("missing.dcm", None, "missing.dcm"), ("text.dcm", b"hello", "text.dcm"), ("empty.dcm", b"", "empty.dcm"),
])
def test_a_file_that_is_no_plan_is_refused_by_name(name: str, content: bytes | None, words: str, said: Any, tmp_path: Path) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    said(words, REFUSED, "palliative", "--plan", path, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_is_no_plan(said: Any, tmp_path: Path) -> None:
    said("directory", REFUSED, "palliative", "--plan", tmp_path, "--out", tmp_path / "run")


def test_a_truncated_plan_is_refused(said: Any, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.dcm", tmp_path / "cut.dcm"
    write_plan(whole, "palliative")
    cut.write_bytes(whole.read_bytes()[:-300])
    said("cut.dcm", REFUSED, "palliative", "--plan", cut, "--out", tmp_path / "run")


def test_a_plan_for_other_leaves_is_refused_before_there_is_a_folder(said: Any, tmp_path: Path) -> None:
    write_plan(tmp_path / "plan.dcm", "box_3dcrt", "agility_160")
    said("choose a machine with the MLC of the plan", REFUSED, "palliative", "--plan", tmp_path / "plan.dcm",
         "--machine", "c_arm_m120", "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_holds_a_run_is_never_written_again(said: Any, tmp_path: Path) -> None:
    assert run_quick(tmp_path / "run", "--run-for", "1") == 1
    before = (tmp_path / "run" / "result.json").read_bytes()
    said("already holds a run", RECORD, "palliative", *QUICK, "--out", tmp_path / "run")
    assert (tmp_path / "run" / "result.json").read_bytes() == before


def test_a_damaged_journal_is_said_and_not_guessed_at(said: Any, tmp_path: Path) -> None:
    run_quick(tmp_path / "run", "--run-for", "50")
    journal = tmp_path / "run" / "journal.bin"
    journal.write_bytes(journal.read_bytes()[:-7])
    said("journal.bin: damaged", RECORD, "--resume", tmp_path / "run", "--out", tmp_path / "rest")
    assert not (tmp_path / "rest").exists()


def test_an_out_that_is_a_file_is_refused(said: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    said("choose another --out", RECORD, "palliative", *QUICK, "--out", tmp_path / "file")
    said("choose another --out", RECORD, "palliative", *QUICK, "--out", tmp_path / "file" / "run")


def test_a_workflow_that_needs_images_is_refused_with_the_way_out(said: Any, tmp_path: Path) -> None:
    asked = ("palliative", "--workflow", "spine_igrt", "--out", tmp_path / "run")
    said("workflow spine_igrt takes images, and these are missing: the session's `patient`, the", REFUSED, *asked)
    said("--workflow no_image", REFUSED, *asked)
