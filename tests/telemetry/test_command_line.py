"""`serve`, `run --mqtt` and `monitor` from outside."""

import contextlib
import json
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.system.cli import QUICK, call, result, start
from tests.telemetry.brokers import Peer, embedded, listening, mosquitto, until

NOWHERE = "mqtt://127.0.0.1:1"  # nobody listens at port 1


def test_a_served_session_can_be_watched_with_nothing_else_installed(tmp_path: Path) -> None:
    served = start("serve", "palliative", *QUICK, "--mqtt", "embedded:0", "--out", tmp_path / "run", cwd=tmp_path)
    assert served.stderr is not None
    line = next(line for line in served.stderr if "linac-ctl monitor" in line)
    url = line.split()[-1]
    looked = call("monitor", url, "--json", "--wait", "30")
    assert looked.returncode == 0, looked.stderr
    one = json.loads(looked.stdout)["machines"]["bench_small"]
    assert one["online"] and len(one["subsystems"]["mlc"]["telemetry"]["readback"]) == 20
    assert one["subsystems"]["gantry"]["axes"] == [{"name": "gantry", "unit": "deg"}]
    text = call("monitor", url)
    assert text.returncode == 0 and "ONLINE" in text.stdout and "not a medical device" in text.stdout
    served.send_signal(signal.SIGINT)
    out, err = served.communicate(timeout=120)
    assert served.returncode == 130 and "real time" in out
    assert re.search(r"telemetry  \d+ messages, 1 connection", err)


def test_telemetry_changes_no_bit_and_costs_no_file(tmp_path: Path) -> None:
    def ran(name: str, *more: str) -> dict[str, object]:
        done = call("run", "palliative", *QUICK, "--json", "--out", tmp_path / name, *more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    quiet, told = ran("quiet"), ran("told", "--mqtt", "embedded:0?hz=20")
    assert quiet["digest"] == told["digest"]
    assert sorted(p.name for p in (tmp_path / "quiet").iterdir()) == sorted(p.name for p in (tmp_path / "told").iterdir())


def test_a_run_whose_broker_is_not_there_says_so_and_goes_on(tmp_path: Path) -> None:
    done = call("run", "palliative", *QUICK, "--mqtt", NOWHERE, "--out", tmp_path / "run")
    assert done.returncode == 0 and done.stdout.startswith("DELIVERED")
    assert "nothing listens there" in done.stderr and "the run goes on" in done.stderr and "telemetry  0 messages" in done.stderr


@pytest.mark.parametrize("url, code, says", [
    ("telnet://here", 2, "no scheme 'telnet'"), ("mqtt://", 2, "names no host"),
    ("palliative", 2, "name the session first: linac-ctl serve palliative --mqtt"), ("mqtts://h?ca=/no/file", 2, "cannot be read")])
def test_a_url_that_means_nothing_starts_nothing(tmp_path: Path, url: str, code: int, says: str) -> None:
    done = call("serve", "palliative", *QUICK, "--mqtt", url, "--out", tmp_path / "run")
    assert done.returncode == code and says in done.stderr and not (tmp_path / "run").exists()


def test_a_port_that_is_taken_is_said_before_anything_starts(tmp_path: Path) -> None:
    peer = Peer(b"")
    done = call("serve", "palliative", *QUICK, "--mqtt", f"embedded:{peer.port}", "--out", tmp_path / "run")
    peer.close()
    assert done.returncode == 4 and f"embedded broker at port {peer.port}" in done.stderr and "take another port" in done.stderr
    assert not (tmp_path / "run").exists()


def descendants(pid: int) -> set[int]:
    """Processes below this one, as Linux lists them."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
    found, new = set(), {pid}
    while new:
        new = {child for child, parent in parents.items() if parent in new}
        found |= new
    return found


def test_a_killed_session_says_offline_and_leaves_no_process(tmp_path: Path) -> None:
    served = start("serve", "palliative", *QUICK, "--mqtt", "embedded:0", "--out", tmp_path / "run", cwd=tmp_path)
    assert served.stderr is not None
    url = next(line for line in served.stderr if "linac-ctl monitor" in line).split()[-1]
    with listening(url) as heard:
        until(lambda: heard.of("/beam/telemetry"), "numbers", 120.0)
        helpers = descendants(served.pid)
        served.send_signal(signal.SIGKILL)
        served.communicate()
        until(lambda: heard.statuses()[-1] == "offline", "offline")
        assert heard.of("$status")[-1]["why"] == "the control process is gone"
    assert len(helpers) == 2
    until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes() for pid in helpers),
          "publisher and broker have ended")


@pytest.mark.parametrize("arguments, code, says", [
    ([NOWHERE], 4, "nothing listens there"),
    ([NOWHERE, "--json"], 4, ""),
    (["mqtt://no-such-host.invalid"], 4, "MQTT mqtt://no-such-host.invalid:1883"),
    (["embedded:"], 2, "that broker is part of `serve`"),
    (["ftp://x"], 2, "no scheme 'ftp'"),
])
def test_a_monitor_without_a_broker_says_why(arguments: list[str], code: int, says: str) -> None:
    done = call("monitor", *arguments)
    assert done.returncode == code and says in done.stderr
    if "--json" in arguments:
        assert "nothing listens there" in json.loads(done.stdout)["error"]["message"]


def test_a_monitor_where_no_machine_is_says_so_after_its_time() -> None:
    with embedded() as (url, _):
        done = call("monitor", url, "--wait", "0.5")
    assert done.returncode == 4 and "no machine has said anything here" in done.stderr


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 4096], ids=["silent", "http", "ones"])
def test_a_monitor_before_a_server_that_is_no_broker_ends_with_an_error(answer: bytes) -> None:
    peer = Peer(answer)
    done = call("monitor", f"mqtt://127.0.0.1:{peer.port}")
    peer.close()
    assert done.returncode == 4 and f"MQTT mqtt://127.0.0.1:{peer.port}" in done.stderr and "Traceback" not in done.stderr


def test_ctrl_c_ends_a_monitor_without_a_word_too_many(tmp_path: Path) -> None:
    with embedded() as (url, _):
        served = start("run", "palliative", *QUICK, "--speed", "1", "--mqtt", url, cwd=tmp_path)
        try:
            looking = start("monitor", url, "--json", "--every", "0.1", "--wait", "60")
            assert looking.stdout is not None
            assert json.loads(looking.stdout.readline())["machines"]
            looking.send_signal(signal.SIGINT)
            _, err = looking.communicate(timeout=30)
            assert looking.returncode == 130 and err.strip() == "linac-ctl: ended by Ctrl-C"
        finally:
            served.kill()
            served.communicate()


def test_a_password_is_asked_for_and_a_wrong_one_is_said(tmp_path: Path) -> None:
    mosquitto_passwd = shutil.which("mosquitto_passwd") or pytest.skip("mosquitto_passwd: not installed (apt install mosquitto)")
    subprocess.run([mosquitto_passwd, "-b", "-c", tmp_path / "users", "anna", "right"], check=True, capture_output=True)
    (tmp_path / "users").chmod(0o644)
    with mosquitto(tmp_path, "allow_anonymous false", f"password_file {tmp_path / 'users'}") as port:
        wrong = call("monitor", f"mqtt://anna:wrong@127.0.0.1:{port}")
        assert wrong.returncode == 4 and "user or password is wrong" in wrong.stderr and "anna:wrong" not in wrong.stderr
        right = call("monitor", f"mqtt://anna:right@127.0.0.1:{port}", "--wait", "0.3")
        assert "no machine has said anything" in right.stderr
        done = call("run", "palliative", *QUICK, "--mqtt", f"mqtt://anna:right@127.0.0.1:{port}", "--out", tmp_path / "run")
        assert done.returncode == 0 and "1 connection" in done.stderr and "nothing lost" in done.stderr
        record = "".join(p.read_text(errors="replace") for p in (tmp_path / "run").glob("*.json*"))
        assert "right@" not in record and result(tmp_path / "run")["outcome"] == "delivered"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority of our own and a certificate for this computer."""
    openssl = shutil.which("openssl") or pytest.skip("openssl: not installed")
    folder = tmp_path_factory.mktemp("tls")
    wanted = "-newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1"
    subprocess.run([openssl, "req", "-x509", *wanted.split()], cwd=folder, check=True, capture_output=True)
    for path in folder.iterdir():
        path.chmod(0o644)
    folder.chmod(0o755)
    return folder


def test_tls_is_checked_against_the_authority_that_was_given(tmp_path: Path, certificates: Path) -> None:
    lines = ("allow_anonymous true", f"certfile {certificates / 'cert.pem'}", f"keyfile {certificates / 'key.pem'}")
    with mosquitto(tmp_path, *lines) as port:
        good = call("monitor", f"mqtts://127.0.0.1:{port}?ca={certificates / 'cert.pem'}", "--wait", "0.3")
        assert "no machine has said anything" in good.stderr
        unknown = call("monitor", f"mqtts://127.0.0.1:{port}")
        assert unknown.returncode == 4 and "authority that signed it" in unknown.stderr
        plain = call("monitor", f"mqtt://127.0.0.1:{port}")
        assert plain.returncode == 4 and f"mqtt://127.0.0.1:{port}" in plain.stderr
        done = call("run", "palliative", *QUICK, "--mqtt", f"mqtts://127.0.0.1:{port}?ca={certificates / 'cert.pem'}",
                    "--out", tmp_path / "run")
        assert done.returncode == 0 and "nothing lost" in done.stderr


def test_tls_to_a_port_without_it_is_said(tmp_path: Path) -> None:
    with mosquitto(tmp_path, "allow_anonymous true") as port:
        done = call("monitor", f"mqtts://127.0.0.1:{port}")
    assert done.returncode == 4 and "TLS" in done.stderr


def test_two_sessions_at_one_broker_are_told_apart_by_name(tmp_path: Path) -> None:
    with embedded() as (url, _), listening(url) as heard:
        for name in ("left", "right"):
            done = call("run", "palliative", *QUICK, "--mqtt", f"{url}?name={name}", "--out", tmp_path / name)
            assert done.returncode == 0, done.stderr
        until(lambda: len(heard.of("left/$status")) > 1 and len(heard.of("right/$status")) > 1, "both")
        assert heard.of("left/$status")[-1]["status"] == "offline"
        one = json.loads(call("monitor", url, "--machine", "left", "--json", "--wait", "0.5").stdout)["machines"]
        assert list(one) == ["left"] and not one["left"]["online"] and one["left"]["stale"]
