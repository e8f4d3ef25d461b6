"""Devices of one virtual machine on ports: hears clients as they come, and lets time pass, by the clock or as lockstep asks."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..interface.image import DT_S
from ..interface.stream.contract import Port, Stream
from .rack import Rack

if TYPE_CHECKING:
    from .device import Device

CATCH_UP = 20  # cycles at once at most; what is missed beyond is missed
Dress = Callable[[Stream], Stream]  # what lies between device and line: pace, faults, a tap


class Place:
    """Where one device is offered. Between clients it speaks to nobody."""

    def __init__(self, port: Port, dress: Dress = lambda stream: stream) -> None:
        self.port, self.dress = port, dress
        self.device: Device | None = None
        self.stream: Stream | None = None
        self.clients = 0

    def say(self, line: bytes) -> None:
        """To whoever is there."""
        if self.stream is not None:
            self.stream.write(line)

    def serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take clients."""
        self.port.attach(loop, lambda stream: self._come(loop, stream))

    def _come(self, loop: asyncio.AbstractEventLoop, raw: Stream) -> None:
        self.clients += 1
        self.stream = self.dress(raw)
        self.stream.attach(loop, self._hear, self._gone)

    def _hear(self, data: bytes) -> None:
        if self.device is not None:
            self.device.hear(data)
            self.device.rack.serve()

    def _gone(self, why: str) -> None:
        stream, self.stream = self.stream, None
        if stream is not None:
            stream.close()
        if self.device is not None:
            self.device.line_lost()

    def close(self) -> None:
        """Nobody is served any more."""
        if self.stream is not None:
            self.stream.close()
        self.port.close()


class Server:
    """`places`: one per device of this rack."""

    def __init__(self, rack: Rack, places: list[Place]) -> None:
        self.rack, self.places = rack, places
        self.missed = 0  # cycles that real time was ahead by, and that were left out
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begun_s, self._done = 0.0, 0

    def serve(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on, until `close`."""
        self._loop = loop
        for place in self.places:
            place.serve(loop)
        self._begin()
        self._tick()

    def close(self) -> None:
        """Hang up on everybody."""
        self._loop = None
        for place in self.places:
            place.close()

    def _begin(self) -> None:
        assert self._loop is not None
        self._begun_s, self._done = self._loop.time(), 0

    def _tick(self) -> None:
        """As many cycles as have become due; none in lockstep, and then the clock begins anew."""
        if self._loop is None:
            return
        if self.rack.lockstep:
            self._begin()
        due = int((self._loop.time() - self._begun_s) / DT_S) - self._done
        for _ in range(min(due, CATCH_UP)):
            self.rack.step()
        if due > CATCH_UP:
            self.missed += due - CATCH_UP
        self._done += due
        self._loop.call_at(self._begun_s + (self._done + 1) * DT_S, self._tick)
