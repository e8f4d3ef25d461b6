"""`linac-ctl hil check` on a real pty: a line for each check, two files, exit codes."""

import json

import pytest

from linac_ctl.cli.main import main
from tests.hil.bench_device import Device
from tests.hil.lies import AnySessionWillDo
from tests.hil.served import served

QUICK = ("--only", "handshake", "--only", "session")


def test_a_good_device_ends_with_0_and_two_files(tmp_path, capsys):
    with served(Device(), tmp_path / "port") as port:
        code = main(["hil", "check", str(port), *QUICK, "--only", "limits", "--out", str(tmp_path / "out")])
    out = capsys.readouterr().out
    assert code == 0 and "3 of 3 checks passed" in out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"check.html", "check.json"}


def test_a_device_that_lies_ends_with_1_and_says_what_is_not_true(tmp_path, capsys):
    with served(AnySessionWillDo(), tmp_path / "port") as port:
        code = main(["hil", "check", str(port), *QUICK, "--out", str(tmp_path / "out")])
    assert code == 1 and "not true: RS with another session is refused with code 6" in capsys.readouterr().out


def test_json_goes_to_standard_output(tmp_path, capsys):
    with served(Device(), tmp_path / "port") as port:
        assert main(["hil", "check", str(port), *QUICK, "--out", str(tmp_path / "out"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "2 of 2 checks passed, 0 failed, 0 left out"


def test_a_check_can_be_recorded_and_read_again(tmp_path, capsys):
    tap = tmp_path / "check.tap"
    with served(Device(), tmp_path / "port") as port:
        main(["hil", "check", str(port), "--only", "junk", "--no-motion", "--out", str(tmp_path / "out"), "--tap", str(tap)])
    capsys.readouterr()
    assert main(["hil", "decode", str(tap), "--only-wrong"]) == 0
    assert "CRC 2CC3 instead of 2CC2" in capsys.readouterr().out


def test_nobody_there_ends_with_6(tmp_path, capsys):
    class Silent(Device):
        def hear(self, data):
            pass

    with served(Silent(), tmp_path / "port") as port:
        code = main(["hil", "check", str(port), "--no-motion", "--wait", "20", "--out", str(tmp_path / "out")])
    assert code == 6 and "nothing came within 80 ms" in (err := capsys.readouterr().err)
    assert not (tmp_path / "out").exists() and err.count("\n") == 1


def test_no_port_there_ends_with_6(tmp_path, capsys):
    assert main(["hil", "check", str(tmp_path / "none"), "--no-motion"]) == 6
    assert "no port" in capsys.readouterr().err


def test_motion_needs_somebody_who_says_yes(tmp_path, capsys):
    assert main(["hil", "check", str(tmp_path / "none")]) == 2
    assert "say --yes if nobody is near what moves, or --no-motion" in capsys.readouterr().err


@pytest.mark.parametrize("words, said", [
    (["hil", "check"], "which PORT?"),
    (["hil", "check", "tcp://127.0.0.1:1", "--baud", "9600", "--no-motion"], "--baud is for paths"),
    (["hil", "check", "/dev/null", "--only", "wd", "--no-motion"], "no check 'wd'"),
])
def test_what_does_not_fit_together_ends_with_2(words, said, capsys):
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_the_checks_can_be_listed(capsys):
    assert main(["hil", "check", "--list"]) == 0
    assert "watchdog-in-a-move" in capsys.readouterr().out


def test_a_port_may_be_a_path_from_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with served(Device(), tmp_path / "my port"):
        assert main(["hil", "check", "./my port", *QUICK, "--no-motion"]) == 0
