"""An imager's line with a camera that takes small pictures of nothing: bytes in, lines out, time as a test lets it pass."""

from pathlib import Path
from typing import Any

import numpy as np

from device_models.imagers.errors import ExposureRefused
from device_models.interface.wire.fields import IMAGERS
from device_models.interface.wire.frames import frame_record
from device_models.interface.wire.framing import EVENT, REPLY, REQUEST, TELEMETRY, Decoder, Line, make
from device_models.serve.imager import new_imager
from device_models.serve.pixel_files import PixelFiles

HEARD = REPLY + EVENT + TELEMETRY
ROWS, COLUMNS = 3, 4
LIMITS = {"volt": (40_000, 140_000), "microampere": (10_000, 630_000), "microsecond": (1_000, 1_000_000), "binning": (1, 64)}
SHOT = "125000 42000 20000 16"


class FakeCamera:
    """`fired`: what was asked; `refuses`: why not; `gathering`: between `AR` and `FI`."""

    def __init__(self, name: str) -> None:
        self.lapses_ms = None if name == "mv_imager" else 2000
        self.limits = {value.name: LIMITS[value.name] for value in IMAGERS[name].fires}
        self.readings_told = {value.record_field: 0.0 for value in IMAGERS[name].says if value.name != "newest"}
        self.fired: list[tuple[int, ...]] = []
        self.refuses: Exception | None = None
        self.gathering = False

    def arm(self) -> None:
        self.gathering = True

    def forget(self) -> None:
        self.gathering = False

    def fire(self, *values: int) -> int:
        self.gathering = False
        if self.refuses is not None:
            raise self.refuses
        self.fired.append(values)
        return len(self.fired) - 1

    def frame(self, number: int) -> tuple[Any, Any]:
        record = frame_record(number=number, time_s=1.0, gantry_deg=-90.0, source_mm=(0.0, 1.0, 1000.0),
                              panel_mm=(0.0, 1.0, -500.0),
                              couch=(1.5, 0.0, float("nan"), 0.0, 0.0, -0.25), pitch_mm=0.388, air_counts=1234.4, kv=125.0,
                              mas=0.84, rows=ROWS, columns=COLUMNS)
        return record, np.arange(ROWS * COLUMNS, dtype=np.uint16).reshape(ROWS, COLUMNS) + number

    def readings(self) -> dict[str, float]:
        return self.readings_told


def refusal(why: str) -> ExposureRefused:
    return ExposureRefused("words for people", why)


class ImagerBench:
    """`ask` gives verb and arguments of the reply, without the time."""

    def __init__(self, name: str, folder: Path, ready: bool = True) -> None:
        self.bytes, self.cycle, self.sequence = bytearray(), 0, 0
        self.camera, self.files = FakeCamera(name), PixelFiles(folder)
        self.device = new_imager(name, self.camera, self.files, lambda: self.cycle, 1, self.bytes.extend)
        if ready:
            self.ask(f"RS {self.device.session}")
            self.ask("WD 10000")

    def lines(self) -> list[Line]:
        """What has been said since the last look; all of it is valid."""
        data = bytes(self.bytes)
        self.bytes.clear()
        decoder = Decoder(maxline=self.device.maxline)
        found = list(decoder.feed(data))
        assert decoder.counts.invalid == 0
        return found

    def send(self, body: str) -> bytes:
        self.sequence = (self.sequence + 1) % 256
        request = make(REQUEST, self.sequence, body)
        self.device.hear(request)
        return request

    def ask(self, body: str) -> list[str]:
        self.lines()
        self.send(body)
        (reply,) = [line for line in self.lines() if line.start == REPLY]
        return [reply.verb, *reply.args[1:]]

    def shoot(self, nonce: str = "1A2B", values: str = SHOT) -> list[str]:
        self.ask(f"AR {nonce}")
        return self.ask(f"FI {nonce} {values}")
