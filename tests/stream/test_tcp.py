"""TcpPort: one client at a time, hang-ups both ways, the first byte."""

import asyncio
import socket

import pytest
import pytest_asyncio

from device_models.interface.stream.tcp import TcpPort, connect
from tests.stream.test_pty import Device
from tests.stream.waiting import read_all, until


@pytest_asyncio.fixture
async def port():
    served = TcpPort()
    yield served
    served.close()


def client_of(port):
    return connect(port.host, port.port, 5.0)


@pytest.mark.asyncio
async def test_first_bytes_answer_and_hang_up(port):
    device = Device()
    client = client_of(port)
    client.write(b"first")
    port.attach(asyncio.get_running_loop(), device.on_client)
    await until(lambda: device.heard and device.heard[0].got == b"first", "first bytes")
    device.clients[0].write(b"answer")
    assert read_all(client, 6) == b"answer"
    client.close()
    await until(lambda: device.heard[0].down, "client left")


@pytest.mark.asyncio
async def test_a_second_client_is_turned_away_until_the_first_has_left(port):
    device = Device()
    port.attach(asyncio.get_running_loop(), device.on_client)
    first = client_of(port)
    await until(lambda: device.clients, "first client")
    second = client_of(port)
    await until(lambda: port.refused == 1, "turned away")
    assert read_all(second, 1) == b"" and not second.up
    first.close()
    third = client_of(port)  # at once: before anybody could notice that the first has gone
    third.write(b"third")
    await until(lambda: len(device.heard) == 2 and device.heard[1].got == b"third", "the next client")
    third.close()


@pytest.mark.asyncio
async def test_the_next_client_waits_for_the_last_bytes_of_the_one_before(port):
    device = Device()
    port.attach(asyncio.get_running_loop(), device.on_client)
    first = client_of(port)
    await until(lambda: device.clients, "first client")
    first.write(b"last words")
    first.close()
    second = client_of(port)
    await until(lambda: len(device.clients) == 2, "second client")
    assert device.heard[0].got == b"last words" and device.heard[0].down and port.refused == 0
    second.close()


@pytest.mark.asyncio
async def test_closing_the_port_hangs_up_and_frees_the_number(port):
    device = Device()
    port.attach(asyncio.get_running_loop(), device.on_client)
    client = client_of(port)
    await until(lambda: device.clients, "client")
    port.close()
    port.close()
    assert read_all(client, 1) == b"" and not client.up
    TcpPort(port=port.port).close()


@pytest.mark.asyncio
async def test_small_frames_are_not_held_back(port):
    client = client_of(port)
    line = socket.socket(fileno=client.fileno())
    assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    line.detach()
    client.close()
