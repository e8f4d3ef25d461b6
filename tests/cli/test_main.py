"""The frame of the command line: help, endings, suggestions."""

import json
import os
import subprocess
import sys

import pytest

from linac_ctl.cli.main import TARGETS, main
from linac_ctl.errors import (
    ConfigError,
    DeviceError,
    EngineError,
    LedgerError,
    PlanError,
    RecordError,
    RefusedError,
    UsageError,
)


def run(capsys, *words):
    """(exit code, stdout, stderr)."""
    code = main(words)
    out, err = capsys.readouterr()
    return code, out, err


def test_help_names_every_command_every_exit_code_and_that_this_is_no_medical_device(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0 and "SIMULATOR, not a medical device" in out
    assert all(f"\n  {name} " in out for name in TARGETS)
    assert all(f"\n    {number} " in out for number in (0, 1, 2, 3, 4, 5, 130))


def test_the_page_of_exit_codes_says_what_help_says(root, capsys):
    _, out, _ = run(capsys, "--help")
    page = (root / "docs" / "reference" / "exit-codes.md").read_text()
    lines = [line.split(None, 1) for line in out.split("Exit codes:\n")[1].splitlines()]
    assert all(f"| {number} | {meaning} |" in page for number, meaning in lines)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["rnu"]])
def test_help_is_answered_without_heavy_packages(words, root):
    code = (f"import sys; from linac_ctl.cli.main import main; main({words!r}); "
            "print([m for m in ('numpy', 'numba', 'pydantic', 'pydicom', 'yaml', 'rich') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(root)}, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", TARGETS)
def test_every_command_is_there_and_has_help(name, capsys):
    code, out, _ = run(capsys, name, "--help")
    assert code == 0 and out.startswith(f"Usage: linac-ctl {name} ")


def test_a_misspelt_command_is_told_the_nearest(capsys):
    code, _, err = run(capsys, "rnu")
    assert code == 2 and "no command 'rnu'; did you mean 'run'?" in err and "see linac-ctl --help" in err


def test_a_wrong_option_is_a_usage_error_and_says_where_help_is(capsys):
    code, _, err = run(capsys, "config", "list", "--jsno")
    assert code == 2 and "--jsno" in err and "see linac-ctl config list --help" in err


@pytest.mark.parametrize("error, code", [
    (RefusedError, 1), (UsageError, 2), (ConfigError, 3), (PlanError, 3), (DeviceError, 4), (RecordError, 5),
    (LedgerError, 7), (EngineError, 8),
])
def test_every_error_of_ours_has_its_exit_code(error, code):
    assert error.exit_code == code


def test_an_error_is_one_line_for_a_person(capsys):
    code, out, err = run(capsys, "config", "show", "c_arm_m12")
    assert (code, out) == (3, "")
    assert err.startswith("linac-ctl: error: no configuration named 'c_arm_m12'; did you mean 'c_arm_m120'?")


@pytest.mark.parametrize("words, kind, code", [
    (["config", "show", "nothing", "--json"], "ConfigError", 3), (["config", "show", "--json"], "UsageError", 2),
])
def test_an_error_is_an_object_for_a_program(words, kind, code, capsys):
    answer, out, err = run(capsys, *words)
    assert err == ""
    error = json.loads(out)["error"]
    assert (answer, error["kind"], error["exit_code"]) == (code, kind, code) and error["message"]


def test_a_reader_that_goes_away_is_no_error(root):
    command = f"{sys.executable} -m linac_ctl config show c_arm_hd120 --origin | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stderr) == (0, "") and len(done.stdout.splitlines()) == 1
