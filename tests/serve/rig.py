"""A virtual device of a real plant, spoken to without a line: bytes in, lines out."""

from typing import Any

import numpy as np

from device_models.interface.image import new_image
from device_models.interface.wire.fields import UNITS
from device_models.interface.wire.framing import EVENT, REPLY, REQUEST, TELEMETRY, Decoder, Line, make
from device_models.plant import new_plant, step_plant
from device_models.serve.build import new_device
from device_models.serve.rack import Rack
from linac_ctl.config.loader import load_machine

HEARD = REPLY + EVENT + TELEMETRY
READY_CYCLES = 4000  # longer than any node of the small machine needs to find its reference


class Bench:
    """`said`: every line of every device since the last look, parsed."""

    def __init__(self, *names: str, machine: str = "bench_small", seed: int = 1) -> None:
        it = load_machine(machine)
        self.image, self.plant = new_image(it.controller.sizes()), new_plant(it.plant, seed, answered=False)
        self.rack = Rack(self.image, lambda cycle: step_plant(self.plant, self.image, np.int64(cycle)))
        self.bytes: dict[str, bytes] = dict.fromkeys(names, b"")
        self.devices = {name: new_device(name, self.rack, self.plant, seed, lambda line, n=name: self._hear(n, line))
                        for name in names}
        self.device, self.name, self.sequence = self.devices[names[0]], names[0], 0

    def _hear(self, name: str, line: bytes) -> None:
        self.bytes[name] = self.bytes.get(name, b"") + line

    def lines(self, name: str = "") -> list[Line]:
        """What has been said since the last look; every line of it is valid."""
        name = name or self.name
        data, self.bytes[name] = self.bytes[name], b""
        decoder = Decoder(maxline=UNITS[name].maxline)
        found = list(decoder.feed(data))
        assert decoder.counts.invalid == 0
        return found

    def send(self, body: str, name: str = "", sequence: int | None = None) -> bytes:
        """A request with the next sequence number; -> its bytes."""
        self.sequence = (self.sequence + 1) % 256 if sequence is None else sequence
        request = make(REQUEST, self.sequence, body)
        self.devices[name or self.name].hear(request)
        self.rack.serve()
        return request

    def ask(self, body: str, name: str = "") -> list[str]:
        """-> verb and arguments of the one reply, without the time: OK 2 3, or ER 3 limit axis=0."""
        self.lines(name)
        self.send(body, name)
        replies = [line for line in self.lines(name) if line.start == REPLY]
        assert len(replies) == 1, (body, replies)
        return [replies[0].verb, *replies[0].args[1:]]

    def run(self, cycles: int) -> None:
        """Time passes by itself."""
        for _ in range(cycles):
            self.rack.step()

    def ready(self) -> None:
        """Out of BOOT, referenced, no watchdog to think of."""
        self.run(READY_CYCLES)
        self.ask(f"RS {self.device.session}")
        self.ask("WD 10000")

    def wires(self, name: str = "") -> Any:
        """Records of a unit."""
        return getattr(self.image, name or self.name)
