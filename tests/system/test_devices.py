"""Two processes: one serves devices, the other is somebody's controller, a script, or a session of ours."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from tests.system.cli import ROOT, call, environment

PAGE = ROOT / "docs" / "how-to" / "hardware-in-the-loop.md"

class Served:
    """`linac-ctl devices serve` in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "linac_ctl", "devices", "serve", *arguments, "--json"]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=environment())
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        self.urls: dict[str, str] = json.loads(line)["devices"]

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(how)
        self.process.communicate(timeout=30)
        return self.process.returncode


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    it = Served("gantry", "couch", "--pty", str(tmp_path))
    yield it
    it.end(signal.SIGKILL)


def session(folder: Path, *links: str) -> "subprocess.CompletedProcess[str]":
    """Half a minute of machine time."""
    given = [word for link in links for word in ("--link", link)]
    return call("run", "box", "--run-for", "30", "--no-report", "--json", "--out", str(folder), *given)


def test_the_script_of_the_page_moves_the_gantry(served: Served, tmp_path: Path) -> None:
    script = next(block for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S) if "crc_hqx" in block)
    assert len(script.splitlines()) <= 20
    (tmp_path / "script.py").write_text(script)
    port = served.urls["gantry"].removeprefix("serial://")
    command = [sys.executable, str(tmp_path / "script.py"), port]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    last = done.stdout.splitlines()[-1].split()
    assert last[1] == "OK" and last[3] == "2" and abs(int(last[5]) - 10_000) < 100


def test_a_session_runs_on_devices_of_another_process_and_says_who_they_were(served: Served, tmp_path: Path) -> None:
    done = session(tmp_path / "run", f"couch={served.urls['couch']}", f"gantry={served.urls['gantry']}")
    result = json.loads(done.stdout)
    assert [(link["device"], link["mode"], link["up"]) for link in result["links"]] == [
        ("gantry", "lockstep", True), ("couch", "lockstep", True)]
    assert all(link["requests"] >= 3000 and link["cycles_without_news"] == 0 for link in result["links"])
    assert (tmp_path / "run" / "links" / "couch.tap").stat().st_size > 100_000


def test_the_same_devices_serve_the_next_client_and_a_person_after_a_program(served: Served, tmp_path: Path) -> None:
    first, second = (json.loads(session(tmp_path / name, f"couch={served.urls['couch']}").stdout) for name in ("a", "b"))
    assert first["links"][0]["session"] == second["links"][0]["session"] and second["links"][0]["cycles_without_news"] == 0
    with serial.Serial(served.urls["couch"].removeprefix("serial://"), timeout=5.0) as line:
        line.write(b"ST\r\n")
        assert line.readline().startswith(b"<00 OK ")


@pytest.mark.parametrize("way", ["tcp", "rfc2217"])
def test_devices_are_offered_over_the_network(way: str, tmp_path: Path) -> None:
    it = Served("couch", f"--{way}", "127.0.0.1:0")
    try:
        result = json.loads(session(tmp_path / "run", f"couch={it.urls['couch']}").stdout)
        assert it.urls["couch"].startswith(f"{way}://") and result["links"][0]["cycles_without_news"] == 0
    finally:
        it.end(signal.SIGKILL)


def test_ctrl_c_ends_it_with_a_clean_exit_and_takes_its_names_away(tmp_path: Path) -> None:
    it = Served("couch", "--pty", str(tmp_path / "ports"))
    assert (tmp_path / "ports" / "couch").is_symlink()
    assert it.end() == 0 and not (tmp_path / "ports" / "couch").is_symlink()


def test_a_fault_of_a_device_is_there_for_its_controller(tmp_path: Path) -> None:
    it = Served("couch", "--pty", str(tmp_path), "--set", "couch.bias.0=3.0", "--set", "couch.bias_2.0=3.0")
    try:
        with serial.Serial(it.urls["couch"].removeprefix("serial://"), timeout=5.0) as line:
            line.write(b"ST\r\n")
            assert abs(int(line.readline().split()[5]) - 3000) < 100
    finally:
        it.end(signal.SIGKILL)


@pytest.mark.parametrize(("arguments", "code", "words"), [
    (["cooch"], 2, "did you mean 'couch'?"),
    (["couch", "--pty", "--tcp"], 2, "one way at a time"),
    (["couch", "--tcp", "nowhere"], 2, "give HOST:PORT"),
    (["couch", "--set", "couch.bais.0=1"], 2, "did you mean 'bias'?"),
    (["couch", "--set", "couch.bias.9=1"], 2, "not one of 0 to 5"),
    (["couch", "--set", "couch.bias.0=x"], 2, "is no number"),
    (["couch", "--disturb", "couch=loss,chance=2"], 2, "not from 0 to 1"),
    (["couch", "--disturb", "gantry=loss"], 2, "DEVICE one of couch"),
    (["couch", "--disturb", "couch=los"], 2, "known are loss"),
    (["couch", "--machine", "nowhere"], 3, "nowhere"),
])
def test_what_cannot_be_served_is_one_clear_line(arguments: list[str], code: int, words: str) -> None:
    done = call("devices", "serve", *arguments)
    assert done.returncode == code and words in done.stderr and len(done.stderr.strip().splitlines()) <= 2


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    (tmp_path / "couch").write_text("mine")
    done = call("devices", "serve", "couch", "--pty", str(tmp_path))
    assert done.returncode == 6 and "is there and is no link" in done.stderr and (tmp_path / "couch").read_text() == "mine"


@pytest.mark.parametrize(("links", "code", "words"), [
    (["couch=foo:/x"], 2, "unknown kind 'foo'"),
    (["coach=pty:"], 2, "did you mean 'couch'?"),
    (["couch=pty:", "couch=loopback:"], 2, "named twice"),
    (["couch=serial:///dev/nowhere"], 6, "no port /dev/nowhere"),
    (["couch=serial:///dev/null"], 6, "no serial line behind"),
    (["beam=tcp://127.0.0.1:9"], 6, "cannot be a device outside"),
    (["couch=tcp://127.0.0.1:9"], 6, "nobody listens at port 9"),
])
def test_a_link_that_cannot_be_is_one_line_and_leaves_no_folder(tmp_path: Path, links: list[str], code: int, words: str) -> None:
    given = [word for link in links for word in ("--link", link)]
    done = call("run", "box", "--out", str(tmp_path / "run"), *given)
    assert done.returncode == code and words in done.stderr and not (tmp_path / "run").exists()


def test_devices_of_another_kind_or_machine_are_refused_before_anything_is_written(served: Served, tmp_path: Path) -> None:
    done = call("run", "box", "--out", str(tmp_path / "run"), "--link", f"couch={served.urls['gantry']}")
    assert done.returncode == 6 and "unit is gantry, must be couch" in done.stderr and not (tmp_path / "run").exists()
    twice = call("run", "box", "--link", f"couch={served.urls['couch']}", "--link", f"gantry={served.urls['couch']}")
    assert twice.returncode == 2 and "every device needs a line of its own" in twice.stderr


def test_another_baud_rate_is_told_from_silence(tmp_path: Path) -> None:
    it = Served("couch", "--pty", str(tmp_path), "--baud", "115200")
    try:
        for rate, words in ((57600, "none of them were a valid line: another baud"), (230400, "is its baud rate that of the URL?")):
            url = it.urls["couch"].replace("115200", str(rate))
            done = call("run", "box", "--out", str(tmp_path / "run"), "--link", f"couch={url}")
            assert done.returncode == 6 and words in done.stderr
    finally:
        it.end(signal.SIGKILL)
