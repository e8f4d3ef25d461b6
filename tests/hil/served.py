"""The bench device on a pty, in real time, as long as a test needs it."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from device_models.interface.stream import PtyPort, Stream
from tests.hil.bench_device import Device

STEP_S = 0.001


@contextmanager
def served(device: Device, place: Path) -> Iterator[Path]:
    """The path of a serial port with this device behind it."""
    loop, over = asyncio.new_event_loop(), threading.Event()
    ready = threading.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(device, place, ready, over)), daemon=True)
    thread.start()
    assert ready.wait(20.0)
    try:
        yield place
    finally:
        over.set()
        thread.join(20.0)
        loop.close()


async def serve(device: Device, place: Path, ready: threading.Event, over: threading.Event) -> None:
    """Its time is ours."""
    port, clients = PtyPort(place), list[Stream]()
    port.attach(asyncio.get_running_loop(), lambda stream: come(device, stream, clients))
    ready.set()
    last_us = time.monotonic_ns() // 1000
    while not over.is_set():
        await asyncio.sleep(STEP_S)
        now_us = time.monotonic_ns() // 1000
        device.tick(now_us - last_us)
        last_us = now_us
        tell(device, clients)
    port.close()


def come(device: Device, stream: Stream, clients: list[Stream]) -> None:
    """One client after the other."""
    def hear(data: bytes) -> None:
        device.hear(data)
        tell(device, clients)

    clients[:] = [stream]
    stream.attach(asyncio.get_running_loop(), hear, lambda why: clients.clear())


def tell(device: Device, clients: list[Stream]) -> None:
    """What it has said goes to whoever is there."""
    said = bytes(device.out)
    device.out.clear()
    if said and clients:
        clients[0].write(said)
