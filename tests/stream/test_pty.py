"""PtyPort with real clients: comes, goes, comes again; nothing is lost, nothing is stale, nobody spins."""

import asyncio
import os
import stat
import termios
import tty

import pytest
import pytest_asyncio

from device_models.interface.stream import FdStream, PtyPort
from tests.stream.waiting import Heard, read_all, until


class Device:
    """Remembers its clients; answers like an echo when told so."""

    def __init__(self) -> None:
        self.clients: list[FdStream] = []
        self.heard: list[Heard] = []

    def on_client(self, stream) -> None:
        heard = Heard()
        self.clients.append(stream)
        self.heard.append(heard)
        stream.attach(asyncio.get_running_loop(), heard.on_bytes, heard.on_down)


@pytest_asyncio.fixture
async def port(tmp_path):
    served = PtyPort(tmp_path / "run" / "couch")
    yield served
    served.close()


@pytest.fixture
def device():
    return Device()


def open_client(port: PtyPort) -> FdStream:
    return FdStream(os.open(port.name, os.O_RDWR | os.O_NOCTTY), "client")


@pytest.mark.asyncio
async def test_a_client_comes_talks_goes_and_the_next_one_comes(port, device):
    async def visit(k: int) -> None:
        client = open_client(port)
        client.write(b"first %d" % k)
        await until(lambda: len(device.heard) > k and len(device.heard[k].got) == 7, "first bytes")
        device.clients[k].write(b"answer")
        assert read_all(client, 6) == b"answer"
        client.close()
        await until(lambda: device.heard[k].down, "client left")

    port.attach(asyncio.get_running_loop(), device.on_client)
    for k in range(3):
        await visit(k)
    assert [h.got for h in device.heard] == [b"first 0", b"first 1", b"first 2"]
    assert all(len(h.down) == 1 for h in device.heard)


@pytest.mark.asyncio
async def test_written_before_anybody_looked_is_not_lost(port, device):
    client = open_client(port)
    client.write(b"first byte")
    await asyncio.sleep(0.02)
    port.attach(asyncio.get_running_loop(), device.on_client)
    await until(lambda: device.heard and device.heard[0].got == b"first byte", "first byte")
    client.close()


@pytest.mark.asyncio
async def test_open_write_close_between_two_looks_is_heard(port, device):
    client = open_client(port)
    client.write(b"quick\n")
    client.close()
    port.attach(asyncio.get_running_loop(), device.on_client)
    await until(lambda: device.heard and device.heard[0].down, "a client that is gone already")
    assert device.heard[0].got == b"quick\n" and len(device.clients) == 1


@pytest.mark.asyncio
async def test_what_a_client_left_unread_never_reaches_the_next(port, device):
    port.attach(asyncio.get_running_loop(), device.on_client)
    client = open_client(port)
    await until(lambda: device.clients, "client")
    device.clients[0].write(b"stale\n" * 100)
    await asyncio.sleep(0.02)
    client.close()
    await until(lambda: device.heard[0].down, "client left")
    await asyncio.sleep(0.12)
    client = open_client(port)
    await until(lambda: len(device.clients) == 2, "second client")
    device.clients[1].write(b"fresh\n")
    assert read_all(client, 6) == b"fresh\n"
    client.close()


@pytest.mark.asyncio
async def test_a_frame_sent_while_nobody_is_there_is_refused(port, device):
    port.attach(asyncio.get_running_loop(), device.on_client)
    client = open_client(port)
    await until(lambda: device.clients, "client")
    client.close()
    await until(lambda: device.heard[0].down, "client left")
    assert not device.clients[0].write(b"too late\n")


@pytest.mark.asyncio
async def test_an_idle_port_wakes_the_loop_by_its_looks_only(port, device, monkeypatch):
    loop = asyncio.get_running_loop()
    port.attach(loop, device.on_client)
    client = open_client(port)
    client.close()
    looks = []
    real = port._look
    monkeypatch.setattr(port, "_look", lambda: (looks.append(1), real())[1])
    selects = []
    select = loop._selector.select
    monkeypatch.setattr(loop._selector, "select", lambda timeout=None: (selects.append(1), select(timeout))[1])
    await until(lambda: len(looks) >= 5, "five looks")
    assert len(selects) < 1000  # a hang-up that is watched wakes 100 000 times a second; our own waiting wakes 200


@pytest.mark.asyncio
async def test_settings_of_a_client_end_with_it(port, device):
    port.attach(asyncio.get_running_loop(), device.on_client)
    fd = os.open(port.name, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(fd)
    mode = termios.tcgetattr(fd)
    mode[3] |= termios.ECHO | termios.ICANON
    mode[4] = mode[5] = termios.B921600
    termios.tcsetattr(fd, termios.TCSANOW, mode)
    await until(lambda: device.clients, "client")
    assert port.baud == 921600
    os.close(fd)
    await until(lambda: device.heard[0].down, "client left")
    await asyncio.sleep(0.12)
    fd = os.open(port.name, os.O_RDWR | os.O_NOCTTY)
    assert not termios.tcgetattr(fd)[3] & (termios.ECHO | termios.ICANON)
    os.close(fd)


@pytest.mark.asyncio
async def test_hanging_up_on_a_client_is_seen_by_it_and_the_name_leads_to_a_fresh_pty(port, device):
    port.attach(asyncio.get_running_loop(), device.on_client)
    client, first = open_client(port), port.path
    await until(lambda: device.clients, "client")
    device.clients[0].close()
    await until(lambda: client.read() == b"" and not client.up, "the client's hang-up")
    again = open_client(port)
    await until(lambda: len(device.clients) == 2, "second client")
    again.write(b"here again")
    await until(lambda: device.heard[1].got == b"here again", "bytes of the second")
    assert os.path.realpath(port.name) == port.path and not device.heard[0].down
    assert first != port.path or client.fileno() == -1
    again.close()


@pytest.mark.asyncio
async def test_when_the_port_closes_the_client_sees_a_hang_up_and_the_name_is_gone(port, device):
    port.attach(asyncio.get_running_loop(), device.on_client)
    client = open_client(port)
    await until(lambda: device.clients, "client")
    port.close()
    port.close()
    assert read_all(client, 1) == b"" and not client.up
    assert not os.path.lexists(port.name) and not port.link.parent.exists()


def test_the_folder_is_private_and_a_stale_link_is_replaced(tmp_path):
    link = tmp_path / "new" / "couch"
    link.parent.mkdir()
    link.symlink_to("/dev/pts/99999")
    port = PtyPort(link)
    assert os.readlink(link) == port.path
    port.close()
    made = PtyPort(tmp_path / "other" / "couch")
    assert stat.S_IMODE(made.link.parent.stat().st_mode) == 0o700
    made.close()
    assert not made.link.parent.exists() and link.parent.is_dir()  # only what we made is removed


def test_a_file_of_somebody_is_not_replaced(tmp_path):
    (tmp_path / "couch").write_text("mine")
    with pytest.raises(FileExistsError, match=r"couch: is there and is no link; name another place"):
        PtyPort(tmp_path / "couch")
    assert (tmp_path / "couch").read_text() == "mine"


def test_a_name_that_somebody_else_has_taken_is_left_alone(tmp_path):
    first, second = PtyPort(tmp_path / "couch"), PtyPort(tmp_path / "couch")
    first.close()
    assert os.readlink(tmp_path / "couch") == second.path
    second.close()
    assert not os.path.lexists(tmp_path / "couch")
