"""RFC 2217 as other people speak it: pyserial's client with our port, pyserial's server and ser2net with our client."""

import asyncio
import os
import shutil
import socket
import subprocess
import threading

import pytest
import pytest_asyncio
import serial
import serial.rfc2217

from device_models.interface.stream import FdStream, loopback_pair
from device_models.interface.stream.rfc2217 import NegotiationError, Rfc2217Client, Rfc2217Port, Rfc2217Stream
from device_models.interface.stream.tcp import connect
from device_models.interface.stream.telnet import COM_PORT, DO, IAC, WILL, Option, Sub, Telnet, option, sub
from tests.stream.test_pty import Device
from tests.stream.waiting import LIMIT_S, read_all

pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # pyserial's own
EVERY = bytes(range(256)) * 3
RATE_921600, RATE_115200, NO_RATE = ((rate).to_bytes(4, "big") for rate in (921600, 115200, 0))


@pytest_asyncio.fixture
async def port():
    served = Rfc2217Port()
    yield served
    served.close()


def echoing(device: Device):
    """An on_client that sends back what comes."""
    def on_client(stream) -> None:
        device.clients.append(stream)
        stream.attach(asyncio.get_running_loop(), stream.write, lambda why: None)
    return on_client


@pytest.mark.asyncio
async def test_pyserials_client_opens_sets_its_rate_and_gets_every_byte_back(port):
    device = Device()
    port.attach(asyncio.get_running_loop(), echoing(device))

    def talk() -> bytes:
        with serial.serial_for_url(f"rfc2217://{port.name}", baudrate=57600, timeout=LIMIT_S) as line:
            line.baudrate = 921600
            line.dtr, line.rts = False, False
            line.write(EVERY)
            return line.read(len(EVERY))

    assert await asyncio.wait_for(asyncio.to_thread(talk), 2 * LIMIT_S) == EVERY
    assert device.clients[0].baud == 921600


@pytest.mark.asyncio
async def test_pyserials_client_is_told_that_there_is_no_parity_here(port):
    port.attach(asyncio.get_running_loop(), echoing(Device()))

    def open_with_parity() -> None:
        serial.serial_for_url(f"rfc2217://{port.name}", parity=serial.PARITY_EVEN, timeout=1).close()

    with pytest.raises(ValueError, match="parity"):
        await asyncio.wait_for(asyncio.to_thread(open_with_parity), 2 * LIMIT_S)


@pytest.mark.asyncio
async def test_our_client_and_our_port(port):
    device = Device()
    port.attach(asyncio.get_running_loop(), echoing(device))

    def talk() -> bytes:
        client = Rfc2217Client(connect(port.host, port.port, 5.0))
        client.set_up(460800, LIMIT_S)
        client.write(EVERY)
        got = read_all(client, len(EVERY))
        client.close()
        return got

    assert await asyncio.wait_for(asyncio.to_thread(talk), 2 * LIMIT_S) == EVERY
    assert device.clients[0].baud == 460800


def answers(device: Rfc2217Stream, far, request: bytes) -> list:
    """What the device's end says to a request."""
    far.write(request)
    device.read()
    return list(Telnet().feed(far.read()))


@pytest.mark.parametrize("code, value, answer", [
    (0, b"", b"linac-ctl"), (1, RATE_921600, RATE_921600), (1, NO_RATE, RATE_115200), (1, b"x", RATE_115200),
    (2, b"\x07", b"\x08"), (3, b"\x03", b"\x01"), (4, b"\x02", b"\x01"),
    (5, b"\x08", b"\x08"), (5, b"\x00", b"\x01"), (5, b"\x07", b"\x08"), (5, b"\x0a", b"\x0b"), (5, b"", b"\x01"),
    (10, b"\xff", b"\xff"), (12, b"\x03", b"\x03"),
])
def test_every_command_is_answered_with_what_is_in_force(code, value, answer):
    near, far = loopback_pair()
    said = answers(Rfc2217Stream(near), far, sub(COM_PORT, bytes((code,)) + value))
    assert said == [Sub(COM_PORT, bytes((code + 100,)) + answer)]


def test_a_mask_is_answered_and_the_modem_lines_follow():
    near, far = loopback_pair()
    assert answers(Rfc2217Stream(near), far, sub(COM_PORT, b"\x0b\xff")) == [
        Sub(COM_PORT, b"\x6f\xff"), Sub(COM_PORT, b"\x6b\xb0")]


def test_options_are_answered_once_and_unknown_ones_refused():
    near, far = loopback_pair()
    device = Rfc2217Stream(near)
    assert answers(device, far, option(WILL, COM_PORT) * 3) == [Option(DO, COM_PORT)]
    assert answers(device, far, option(WILL, COM_PORT)) == []
    assert answers(device, far, option(DO, 1) + option(WILL, 31)) == [Option(252, 1), Option(254, 31)]


def test_while_the_client_holds_us_frames_wait_whole_and_then_all_come():
    near, far = loopback_pair()
    device = Rfc2217Stream(near, limit_bytes=12)
    answers(device, far, sub(COM_PORT, b"\x08"))
    assert [device.write(b"frame") for _ in range(3)] == [True, True, False] and device.dropped == 1 and far.read() == b""
    assert answers(device, far, sub(COM_PORT, b"\x09")) == [b"frameframe"]


def test_a_server_without_rfc2217_is_named_as_such():
    near, far = loopback_pair()
    far.attach(None, lambda data: far.write(bytes((IAC, 254, COM_PORT))), lambda why: None)
    with pytest.raises(NegotiationError, match=r"does not speak RFC 2217; .* use tcp://"):
        Rfc2217Client(near).set_up(115200, 1.0)


def test_a_silent_server_is_given_up_in_time():
    one, other = socket.socketpair()
    with other, pytest.raises(NegotiationError, match=r"no word of RFC 2217 within 0\.05 s"):
        Rfc2217Client(FdStream(one.detach(), "line")).set_up(115200, 0.05)


def test_a_server_that_hangs_up_meanwhile_is_named_as_such():
    one, other = socket.socketpair()
    other.close()
    with pytest.raises(NegotiationError, match="line: the other end"):
        Rfc2217Client(FdStream(one.detach(), "line")).set_up(115200, LIMIT_S)


def test_a_rate_that_the_server_cannot_do_says_what_it_gives():
    near, far = loopback_pair()
    device = Rfc2217Stream(far)
    device._set_baud = lambda value: device._send(101, (9600).to_bytes(4, "big"))
    far.attach(None, device._take, lambda why: None)
    with pytest.raises(NegotiationError, match="cannot do 921600 baud, it gives 9600"):
        Rfc2217Client(near).set_up(921600, 1.0)


def test_data_that_comes_during_the_negotiation_is_not_lost():
    near, far = loopback_pair()
    device = Rfc2217Stream(far)
    far.attach(None, lambda data: (device.write(b"telemetry "), device._take(data)), lambda why: None)
    client = Rfc2217Client(near)
    client.set_up(115200, 1.0)
    got = client.read()
    assert got and set(got.split()) == {b"telemetry"}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as line:
        return line.getsockname()[1]


def test_our_client_with_pyserials_server():
    """PortManager as in pyserial's own example, in front of a line that echoes."""
    line = serial.serial_for_url("loop://", 9600, timeout=0)
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def serve() -> None:
        peer, _ = listener.accept()
        peer.settimeout(0.05)
        manager = serial.rfc2217.PortManager(line, type("Peer", (), {"write": lambda self, data: peer.sendall(data)})())
        while not done.is_set():
            try:
                line.write(b"".join(manager.filter(peer.recv(1024))))
                peer.sendall(b"".join(manager.escape(line.read(line.in_waiting))))
            except TimeoutError:
                pass
        peer.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        client = Rfc2217Client(connect("127.0.0.1", listener.getsockname()[1], 5.0))
        client.set_up(57600, LIMIT_S)
        client.write(EVERY)
        assert read_all(client, len(EVERY)) == EVERY and line.baudrate == 57600
        client.close()
    finally:
        done.set()
        thread.join(LIMIT_S)
        line.close()
        listener.close()


@pytest.mark.skipif(shutil.which("ser2net") is None, reason="ser2net is not installed")
def test_our_client_with_ser2net_in_front_of_a_pty(tmp_path):
    master, slave = os.openpty()
    device = FdStream(master, "device")
    number = free_port()
    conf = tmp_path / "ser2net.yaml"
    conf.write_text(f"connection: &c\n  accepter: telnet(rfc2217),tcp,127.0.0.1,{number}\n  enable: on\n"
                    f"  connector: serialdev,{os.ttyname(slave)},9600n81,local\n")
    server = subprocess.Popen(["ser2net", "-n", "-c", str(conf), "-P", str(tmp_path / "pid")])
    try:
        client = Rfc2217Client(patient_connect(number))
        client.set_up(57600, LIMIT_S)
        client.write(EVERY)
        assert read_all(device, len(EVERY)) == EVERY
        device.write(EVERY)
        assert read_all(client, len(EVERY)) == EVERY
        client.close()
    finally:
        server.terminate()
        server.wait(LIMIT_S)
        device.close()
        os.close(slave)


def patient_connect(number: int):
    """A server that has just been started may not listen yet."""
    waited = threading.Event()
    for _ in range(400):
        try:
            return connect("127.0.0.1", number, 5.0)
        except ConnectionRefusedError:
            waited.wait(0.05)
    raise AssertionError("ser2net does not listen")
