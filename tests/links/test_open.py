"""Opening a line: real ptys, real sockets, real programs that hold a port; one clear error each."""

import asyncio
import errno
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import termios
import tty
from pathlib import Path

import pytest
import serial

from device_models.interface.stream import FdStream, PtyPort
from device_models.interface.stream.terminal import baud_of
from linac_ctl.errors import LinkError
from linac_ctl.links import holders, serial_port
from linac_ctl.links.holders import latency_timer_ms
from linac_ctl.links.open import open_link
from linac_ctl.links.url import parse_url
from tests.stream.waiting import LIMIT_S, read_all, until


@pytest.fixture
def device():
    """The far end of a line that we hold, and the name of the near one."""
    master, slave = os.openpty()
    tty.setraw(slave)
    stream, name = FdStream(master, "device"), os.ttyname(slave)
    os.close(slave)
    yield stream, name
    stream.close()


def test_a_serial_port_carries_bytes_at_its_rate_both_ways(device):
    far, name = device
    line = open_link(parse_url(f"serial://{name}?baud=921600"))
    assert line.read() == b"" and line.up  # nothing yet is no hang-up
    line.write(b"\x00\xff\x18\r\n")
    assert read_all(far, 5) == b"\x00\xff\x18\r\n"
    far.write(b"\x11\x13\r\n")
    assert read_all(line, 4) == b"\x11\x13\r\n" and baud_of(line.fileno()) == 921600
    line.close()


def test_a_rate_that_no_constant_names_is_set_too(device):
    line = open_link(parse_url(f"serial://{device[1]}?baud=250000"))
    assert baud_of(line.fileno()) == 250000
    line.close()


def test_what_an_earlier_client_left_is_thrown_away(device):
    far, name = device
    far.write(b"stale\n")
    line = open_link(parse_url(f"serial://{name}"))
    far.write(b"fresh\n")
    assert read_all(line, 6) == b"fresh\n"
    line.close()


def test_an_unplugged_adapter_is_a_hang_up(device):
    far, name = device
    line = open_link(parse_url(f"serial://{name}"))
    far.close()
    assert read_all(line, 1) == b"" and not line.up and name in line.why


def test_a_port_that_is_open_is_locked_against_others(device):
    line = open_link(parse_url(f"serial://{device[1]}"))
    other = os.open(device[1], os.O_RDWR | os.O_NOCTTY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(other)
    with pytest.raises(LinkError, match="in use: another program has locked it"):
        open_link(parse_url(f"serial://{device[1]}"))
    line.close()
    open_link(parse_url(f"serial://{device[1]}")).close()


HOLD = "import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); print('held', flush=True); sys.stdin.read()"


def test_a_program_that_has_the_port_open_without_locking_it_is_named(device):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, device[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(LinkError, match=rf"in use by python\S* \(process {holder.pid}\)"):
            open_link(parse_url(f"serial://{device[1]}"))
    finally:
        holder.communicate(timeout=LIMIT_S)


SERVE = """import os, sys, tty
master, slave = os.openpty()
tty.setraw(slave)
print(os.ttyname(slave), flush=True)
os.write(master, os.read(master, 5).upper())
sys.stdin.read()"""


def test_a_device_that_keeps_both_sides_of_its_pty_open_is_no_other_user():
    peer = subprocess.Popen([sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        line = open_link(parse_url(f"serial://{peer.stdout.readline().decode().strip()}"))
        line.write(b"hello")
        assert read_all(line, 5) == b"HELLO"
        line.close()
    finally:
        peer.communicate(timeout=LIMIT_S)


def test_a_port_that_does_not_exist_says_which_do(monkeypatch):
    monkeypatch.setattr(serial_port, "ports_here", lambda: ["/dev/ttyACM0 (Couch)", "/dev/ttyUSB1"])
    with pytest.raises(LinkError) as caught:
        open_link(parse_url("serial:///dev/ttyUSB7"))
    assert "no port /dev/ttyUSB7; did you mean '/dev/ttyUSB1'?; ports of this computer: /dev/ttyACM0 (Couch), /dev/ttyUSB1" in str(
        caught.value)
    assert caught.value.exit_code == 6


def test_a_port_of_a_virtual_device_that_is_misspelt_is_suggested(tmp_path):
    (tmp_path / "couch").symlink_to("/dev/null")
    with pytest.raises(LinkError, match=f"no port {tmp_path}/coach; did you mean '{tmp_path}/couch'"):
        open_link(parse_url(f"serial://{tmp_path}/coach"))


def test_without_any_port_it_says_so(monkeypatch):
    monkeypatch.setattr(serial_port, "ports_here", list)
    with pytest.raises(LinkError, match="this computer has no serial port; plug the adapter in"):
        open_link(parse_url("serial:///dev/ttyUSB7"))


def test_ports_of_this_computer_are_paths():
    assert all(port.startswith("/dev/") for port in holders.ports_here())


@pytest.mark.parametrize("kind", ["a file", "a folder"])
def test_what_is_no_device_is_named_as_what_it_is(tmp_path, kind):
    if kind == "a file":
        (tmp_path / "x").write_text("")
    else:
        (tmp_path / "x").mkdir()
    with pytest.raises(LinkError, match=f"x is {kind}, not a serial port"):
        open_link(parse_url(f"serial://{tmp_path}/x"))


def test_a_device_that_is_no_line_is_named_as_such():
    with pytest.raises(LinkError, match=r"no serial line behind /dev/null, it is another kind of device"):
        open_link(parse_url("serial:///dev/null"))


@pytest.mark.parametrize("error, words", [
    (serial.SerialException(errno.EIO, "Could not configure port"), "no serial line behind"),
    (serial.SerialException(errno.EBUSY, "x"), "another program has locked it"),
    (serial.SerialException(errno.EACCES, "x"), "no permission"),
    (serial.SerialException(errno.ENODEV, "x"), "no port"),
    (ValueError("Failed to set custom baud rate (123): x"), "cannot do 123 baud"),
    (serial.SerialException(errno.EMFILE, "x"), "cannot be opened"),
])
def test_whatever_the_driver_says_is_told_in_our_words(device, monkeypatch, error, words):
    def fail(line) -> None:
        raise error

    monkeypatch.setattr(serial.Serial, "open", fail)
    with pytest.raises(LinkError, match=words):
        open_link(parse_url(f"serial://{device[1]}?baud=123"))


def test_without_permission_it_names_the_group_and_the_command(device, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(serial_port, "group_of", lambda path: "dialout")
    with pytest.raises(LinkError, match=r"belongs to the group dialout: sudo usermod -aG dialout \$USER, then log in again"):
        open_link(parse_url(f"serial://{device[1]}"))


@pytest.fixture
def somebody_else():
    """For root, whom no folder is closed to, the rights of nobody."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


def test_a_port_in_a_folder_that_is_closed_to_us_is_told_from_one_that_is_not_there(tmp_path, request):
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "couch").symlink_to("/dev/null")
    (tmp_path / "closed").chmod(0)
    request.getfixturevalue("somebody_else")
    with pytest.raises(LinkError, match=r"no permission to get at .*/closed; ask its owner"):
        open_link(parse_url(f"serial://{tmp_path}/closed/couch"))


def test_a_name_that_no_file_can_have_is_one_clear_line():
    with pytest.raises(LinkError, match=r"no name of a port: File name too long"):
        open_link(parse_url(f"serial:///dev/{'x' * 300}"))


def test_a_node_that_its_group_may_not_use_says_so(device, monkeypatch):
    os.chmod(device[1], 0o600)
    assert holders.group_of(serial_port.Path(device[1])) is None
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(LinkError, match="its owner gives it to no group; sudo chmod"):
        open_link(parse_url(f"serial://{device[1]}"))


def test_the_group_of_a_node_is_its_own(tmp_path):
    (tmp_path / "node").write_text("")
    os.chmod(tmp_path / "node", 0o660)
    assert holders.group_of(tmp_path / "node")


def test_a_rate_that_the_port_does_not_take_says_what_it_gives(device, monkeypatch):
    monkeypatch.setattr(serial_port, "baud_of", lambda fd: 115200)
    with pytest.raises(LinkError, match="cannot do 921600 baud, it gives 115200"):
        open_link(parse_url(f"serial://{device[1]}?baud=921600"))


def test_a_refused_port_leaves_no_descriptor_open(device, monkeypatch):
    monkeypatch.setattr(serial_port, "baud_of", lambda fd: 115200)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(LinkError):
        open_link(parse_url(f"serial://{device[1]}?baud=921600"))
    assert len(os.listdir("/proc/self/fd")) == before


def test_tcp_carries_bytes():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line = open_link(parse_url(f"tcp://127.0.0.1:{listener.getsockname()[1]}"))
        peer, _ = listener.accept()
        peer.sendall(b"hello")
        assert read_all(line, 5) == b"hello"
        peer.close()
        line.close()


@pytest.mark.parametrize("scheme", ["tcp", "rfc2217"])
def test_where_nobody_listens_it_says_so(scheme):
    with socket.create_server(("127.0.0.1", 0)) as line:
        number = line.getsockname()[1]
    with pytest.raises(LinkError, match=f"nobody listens at port {number}; start the device's side first"):
        open_link(parse_url(f"{scheme}://127.0.0.1:{number}"))


def test_a_computer_that_is_not_known_is_named():
    with pytest.raises(LinkError, match=r"no computer of the name 'no-such-host\.invalid'|cannot be reached"):
        open_link(parse_url("tcp://no-such-host.invalid:1"))


def test_a_computer_that_does_not_answer_is_given_up_in_time():
    with socket.socket() as listener:  # a full queue of callers: the next one gets no answer
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        name = listener.getsockname()
        waiting = []
        for _ in range(8):
            caller = socket.socket()
            caller.setblocking(False)
            caller.connect_ex(name)
            waiting.append(caller)
        with pytest.raises(LinkError, match=r"no answer within 0\.3 s; is 127\.0\.0\.1 on"):
            open_link(parse_url(f"tcp://127.0.0.1:{name[1]}"), timeout_s=0.3)
        for caller in waiting:
            caller.close()


def test_a_server_of_bytes_alone_is_no_rfc2217():
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(LinkError, match=r"no word of RFC 2217 .* use tcp://"):
        open_link(parse_url(f"rfc2217://127.0.0.1:{listener.getsockname()[1]}"), timeout_s=0.1)


@pytest.mark.parametrize("text", ["sim:", "loopback:", "pty:"])
def test_what_the_run_makes_itself_is_not_opened(text):
    with pytest.raises(LinkError, match="made by the run itself"):
        open_link(parse_url(text))


@pytest.mark.skipif(shutil.which("socat") is None, reason="socat is not installed")
def test_a_pty_that_socat_made_is_a_serial_port(tmp_path):
    ends = [tmp_path / "near", tmp_path / "far"]
    socat = subprocess.Popen(["socat", *(f"pty,raw,echo=0,link={end}" for end in ends)])
    try:
        asyncio.run(until(lambda: all(end.exists() for end in ends), "socat's links"))
        near, far = (open_link(parse_url(f"serial://{end}?baud=9600")) for end in ends)
        near.write(b"through\n")
        assert read_all(far, 8) == b"through\n"
    finally:
        socat.terminate()
        socat.wait(LIMIT_S)
    assert read_all(near, 1) == b"" and not near.up
    far.close()


@pytest.mark.skipif(shutil.which("picocom") is None, reason="picocom is not installed")
def test_a_picocom_that_was_left_open_is_named(device):
    far, name = device
    terminal_master, terminal = os.openpty()
    picocom = subprocess.Popen(["picocom", "-b", "115200", name], stdin=terminal, stdout=terminal, stderr=terminal,
                               start_new_session=True)  # it ends its whole process group with it
    try:
        asyncio.run(until(lambda: holders.holders(serial_port.Path(name)), "picocom has the port"))
        with pytest.raises(LinkError, match=rf"in use by picocom \(process {picocom.pid}\)"):
            open_link(parse_url(f"serial://{name}"))
    finally:
        picocom.terminate()
        picocom.wait(LIMIT_S)
        os.close(terminal_master)
        os.close(terminal)
    assert far.up


@pytest.mark.asyncio
async def test_a_port_served_by_us_is_opened_and_tells_the_clients_rate(tmp_path):
    port, clients = PtyPort(tmp_path / "couch"), []
    port.attach(asyncio.get_running_loop(), clients.append)
    line = open_link(parse_url(f"serial://{port.name}?baud=460800"))
    await until(lambda: clients, "client")
    assert port.baud == 460800 and termios.tcgetattr(line.fileno())[6][termios.VMIN] == 1
    clients[0].write(b"hello")
    assert read_all(line, 5) == b"hello"
    line.close()
    clients[0].close()
    port.close()


def test_the_latency_timer_of_an_adapter_is_read_and_of_any_other_port_there_is_none(tmp_path):
    (tmp_path / "ttyUSB0").mkdir()
    (tmp_path / "ttyUSB0/latency_timer").write_text("16\n")
    assert latency_timer_ms(Path("/dev/ttyUSB0"), tmp_path) == 16
    assert latency_timer_ms(Path("/dev/ttyACM0"), tmp_path) is None
