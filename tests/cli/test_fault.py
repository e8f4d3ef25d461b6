"""`linac-ctl fault`: the catalogue, for people and scripts."""

import json

import pytest

from device_models.faults.modes import catalogue
from linac_ctl.cli.main import main


def run(capsys, *words):
    """(exit code, stdout, stderr)."""
    code = main(("fault", *words))
    out, err = capsys.readouterr()
    return code, out, err


def test_the_list_has_every_mode_of_the_catalogue(capsys):
    code, out, _ = run(capsys, "list", "--json")
    assert code == 0 and [mode["id"] for mode in json.loads(out)["modes"]] == list(catalogue())


def test_the_list_for_people_has_one_line_for_each_mode(capsys):
    _, out, _ = run(capsys, "list")
    assert [line.split()[0] for line in out.splitlines()[2:]] == list(catalogue())


@pytest.mark.parametrize("words, wanted", [
    (("--layer", "link"), lambda mode: mode.layer == "link"),
    (("--tier", "3"), lambda mode: mode.tier == 3),
    (("--phase", "registration"), lambda mode: not mode.phases or "registration" in mode.phases),
])
def test_the_list_can_be_narrowed(capsys, words, wanted):
    _, out, _ = run(capsys, "list", "--json", *words)
    found = [mode["id"] for mode in json.loads(out)["modes"]]
    assert found == [mode.id for mode in catalogue().values() if wanted(mode)] and 0 < len(found) < len(catalogue())


def test_what_does_not_exist_is_told_what_does(capsys):
    code, _, err = run(capsys, "list", "--layer", "linck")
    assert code == 2 and "--layer 'linck': there are plant, sensor" in err
    code, _, err = run(capsys, "show", "ACT-4")
    assert code == 2 and "unknown; did you mean ACT-04" in err


@pytest.mark.parametrize("name", catalogue())
def test_every_mode_can_be_shown(capsys, name):
    code, out, _ = run(capsys, "show", name)
    assert code == 0 and out.startswith(f"{name} ") and all(f"{setting}:" in out for setting in catalogue()[name].settings)


def test_a_mode_says_its_settings_its_reaction_and_how_fast(capsys):
    _, out, _ = run(capsys, "show", "ACT-04", "--json")
    mode = json.loads(out)
    assert mode["settings"] == {"leaf": {"low": 0, "high": 119, "usual": 17, "whole": True}}
    assert (mode["reaction"], mode["max_detection_ms"], mode["max_mu"]) == (["beam_hold"], 100.0, 1.3)
