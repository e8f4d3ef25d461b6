"""`linac-ctl doctor`: every verdict at, inside and outside its limit, and an answer on this very computer."""

import json
import os
import socket
import stat
from pathlib import Path

import pytest

from linac_ctl.cli.checks import Finding, links, software, system
from linac_ctl.cli.doctor import line
from linac_ctl.cli.main import main


def test_doctor_looks_at_everything_and_its_exit_code_follows(capsys):
    code = main(["doctor", "--json"])
    answer = json.loads(capsys.readouterr().out)
    names = {finding["name"] for finding in answer["findings"]}
    assert {"Python", "environment", "cores", "memory", "clock", "timing self-test", "compiled code", "disk",
            "serial ports", "pty", "MQTT broker", "numba", "dciodvfy"} <= names
    assert answer["ok"] == (code == 0) == all(finding["state"] != "fail" for finding in answer["findings"])


def test_whatever_is_not_well_says_what_to_do(capsys):
    main(["doctor", "--json"])
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert all(finding["advice"] for finding in findings if finding["state"] in ("warn", "fail"))


def test_a_folder_that_cannot_hold_compiled_code_fails_the_doctor(capsys, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LINAC_CTL_CACHE_DIR", str(tmp_path / "file" / "below"))
    code = main(["doctor"])
    out = capsys.readouterr().out
    assert code == 1 and "compiled code" in out and "LINAC_CTL_CACHE_DIR" in out and "1 thing(s) to fix" in out


@pytest.mark.parametrize("version, state", [((3, 10), "fail"), ((3, 11), "ok"), ((3, 14), "ok")])
def test_python_from_3_11(version, state):
    assert software.python(version).state == state


def test_a_missing_package_fails_and_a_missing_extra_does_not():
    assert software.package("no-such-package-of-ours").state == "fail"
    assert software.extra("no-such-package-of-ours", "x").state == "info"
    assert software.tool("no-such-program-of-ours", "x").state == "info"


@pytest.mark.parametrize("mib, state", [(299, "warn"), (300, "ok"), (None, "info")])
def test_memory_for_one_session(mib, state):
    assert system.memory(mib).state == state


def test_memory_is_read_in_mib_and_unknown_where_there_is_no_such_file(tmp_path):
    (tmp_path / "meminfo").write_text("MemTotal: 4096 kB\nMemAvailable:   2048000 kB\n")
    assert system.available_mib(tmp_path / "meminfo") == 2000
    assert system.available_mib(tmp_path / "none") is None


@pytest.mark.parametrize("resolution_s, state", [(1e-9, "ok"), (1e-4, "ok"), (1.1e-4, "warn"), (float("nan"), "warn")])
def test_the_clock_must_be_fine_enough_for_real_time(resolution_s, state):
    assert system.clock(resolution_s).state == state


@pytest.mark.parametrize("late_ms, state", [
    ([0.5, 0.5, 10.0], "ok"), ([0.6, 0.6, 0.1], "warn"), ([0.1, 0.1, 10.1], "warn"), ([float("nan")], "warn"),
])
def test_sleep_must_end_in_time(late_ms, state):
    assert system.punctual(late_ms, "sleep").state == state


@pytest.mark.parametrize("count, state", [(1, "warn"), (2, "ok")])
def test_one_core_is_little_for_real_time(count, state):
    assert system.cores(count).state == state


def test_serial_ports_need_permission(tmp_path):
    port = tmp_path / "ttyUSB0"
    port.write_text("")
    assert links.serial([]).state == "info"
    assert links.serial([port]).state == "ok"
    if os.geteuid() != 0:  # nothing is closed to root
        port.chmod(stat.S_IRUSR)
        assert links.serial([port]).state == "warn" and "dialout" in links.serial([port]).advice


def test_a_port_that_cannot_be_opened_asks_for_the_group(tmp_path):
    finding = links.serial([tmp_path / "ttyUSB9"])
    assert finding.state == "warn" and "dialout" in finding.advice


def test_an_adapter_that_holds_short_answers_back_is_told_and_any_other_port_is_not(monkeypatch):
    timers = {"ttyUSB0": 16, "ttyUSB1": 1}
    monkeypatch.setattr(links, "latency_timer_ms", lambda port: timers.get(port.name))
    found = list(links.latency([Path("/dev/ttyACM0"), Path("/dev/ttyUSB0"), Path("/dev/ttyUSB1")]))
    assert [(finding.state, finding.found) for finding in found] == [("info", "/dev/ttyUSB0: 16 ms"), ("ok", "/dev/ttyUSB1: 1 ms")]
    assert "setserial /dev/ttyUSB0 low_latency" in found[0].advice


def test_a_broker_is_found_where_one_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert links.broker("127.0.0.1", port).state == "ok"
    assert links.broker("127.0.0.1", port).state == "info"


def test_advice_stands_below_its_finding():
    text = line(Finding("disk", "fail", "1 MiB free", "delete something"))
    assert text.splitlines()[1].strip() == "-> delete something"
