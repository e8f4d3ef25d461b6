"""Brokers, good and bad, each on a port of its own; and what a subscriber heard."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from linac_ctl.telemetry.address import Address, parse
from linac_ctl.telemetry.broker import free_port
from linac_ctl.telemetry.feed import start_broker
from linac_ctl.telemetry.watch import Watcher

LIMIT_S = 30.0


def until(condition: Callable[[], object], what: str, limit_s: float = LIMIT_S) -> None:
    """A bounded wait; a pass never waits for the limit."""
    end_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end_s, f"not within {limit_s:g} s: {what}"
        time.sleep(0.01)


@contextlib.contextmanager
def embedded() -> Iterator[tuple[str, int]]:
    """Our own broker: (URL, process id)."""
    process, port = start_broker(0)
    try:
        yield f"mqtt://127.0.0.1:{port}", process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGCONT)
        process.stdin.close()
        process.kill()
        process.wait()
        process.stdout.close()


def mosquitto_path() -> str:
    """Skips by name without it; Debian keeps it out of most users' path."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    return found or pytest.skip("mosquitto: not installed (apt install mosquitto)")


@contextlib.contextmanager
def mosquitto(folder: Path, *lines: str, port: int = 0) -> Iterator[int]:
    """-> its port; `lines` of configuration for the listener."""
    port = port or free_port()
    path = folder / f"mosquitto-{port}.conf"
    user = ["user root"] if os.getuid() == 0 else []  # otherwise it becomes somebody who may not read our folder
    path.write_text("\n".join([*user, f"listener {port} 127.0.0.1", "set_tcp_nodelay true", "persistence false", *lines, ""]))
    process = subprocess.Popen([mosquitto_path(), "-c", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: process.poll() is not None or listens(port), "mosquitto listens")
        assert process.poll() is None, "mosquitto did not start"
        yield port
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    """Somebody does."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1.0):
        return True
    return False


class Peer:
    """A server that is no broker: answers every connection with these bytes, again and again if `pour`."""

    def __init__(self, answer: bytes, pour: bool = False, port: int = 0) -> None:
        self.server = socket.create_server(("127.0.0.1", port))
        self.port = int(self.server.getsockname()[1])
        self.streams: list[bytearray] = []  # what each visitor said
        self.answer, self.pour, self.open = answer, pour, True
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while self.open:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            self.streams.append(bytearray())
            with contextlib.suppress(OSError), client:
                client.settimeout(0.2)
                self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        self.streams[-1] += client.recv(4096)
        client.sendall(self.answer)
        end_s = time.monotonic() + 1.0
        while self.open and time.monotonic() < end_s:
            if self.pour:
                client.sendall(self.answer)
            with contextlib.suppress(TimeoutError):
                if not (said := client.recv(4096)):
                    return
                self.streams[-1] += said

    def close(self) -> None:
        self.open = False
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.thread.join(LIMIT_S)


def packets(stream: bytes) -> Iterator[int]:
    """Types of the MQTT packets in what a client said; the last may be cut."""
    at = 0
    while at + 1 < len(stream):
        kind, length, shift = stream[at] >> 4, 0, 0
        while at + 1 < len(stream):
            at += 1
            length |= (stream[at] & 127) << shift
            shift += 7
            if stream[at] < 128:
                break
        yield kind
        at += 1 + length


class Listener:
    """Subscribes to everything in a thread with a loop of its own; remembers (topic, payload) in order."""

    def __init__(self, url: str) -> None:
        self.address: Address = parse(url)
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.watcher = Watcher(self.address)
        self.watcher.view.take = self._take
        self._stop = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.thread.start()
        until(lambda: not self.watcher.trouble, "subscribed")

    def _take(self, topic: str, payload: bytes, now_s: float) -> None:
        self.heard.append((topic, json.loads(payload)))

    async def _run(self) -> None:
        task = asyncio.create_task(self.watcher.listen())
        while not self._stop.is_set():
            await asyncio.sleep(0.02)
        task.cancel()

    def of(self, end: str) -> list[dict[str, Any]]:
        """Payloads of topics that end so."""
        return [data for topic, data in list(self.heard) if topic.endswith(end)]

    def statuses(self) -> list[str]:
        """`online` and `offline`, repetitions left out."""
        said = [data["status"] for data in self.of("$status")]
        return [one for i, one in enumerate(said) if i == 0 or said[i - 1] != one]

    def close(self) -> None:
        self._stop.set()
        self.thread.join(LIMIT_S)


@contextlib.contextmanager
def listening(url: str) -> Iterator[Listener]:
    """A listener that goes away."""
    it = Listener(url)
    try:
        yield it
    finally:
        it.close()
