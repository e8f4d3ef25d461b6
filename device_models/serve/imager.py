"""An imager behind bytes: arms, makes one exposure per `FI` (or keeps what its panel has gathered), and tells of its frames.

No cyclic device and in nobody's process image: it is asked between cycles, and its clock is the machine's.
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from ..imagers.errors import ExposureRefused
from ..interface.image import NODE
from ..interface.wire.fields import IMAGERS, Unit
from ..interface.wire.frames import say_frame
from ..interface.wire.framing import Line, integer
from .arguments import Args, only, word
from .build import session_of
from .cyclic import sv
from .device import Device, Verbs
from .errors import Code, Refused
from .pixel_files import KEPT, PixelFiles
from .rack import CYCLE_MS, Rack
from .states import LATCHED, State
from .verbs import COMMON

LEFT_OUT = ("LS", "TK")  # time is the machine's, whose image is taken
Limits = dict[str, tuple[int, int]]


class Camera(Protocol):
    """What stands behind the line. Its verbs raise ExposureRefused, or ValueError where the machine does not know its place."""

    lapses_ms: int | None  # how long after `AR` it may be fired; None = as long as it takes
    limits: Limits  # of what `FI` says, by name

    def arm(self) -> None:
        """`AR` was heard."""

    def fire(self, *values: int) -> int:
        """`FI`: -> number of the frame."""

    def forget(self) -> None:
        """The arming has ended without `FI`."""

    def frame(self, number: int) -> tuple[Any, Any]:
        """-> FRAME (1,), pixels (rows, columns)."""

    def readings(self) -> dict[str, float]:
        """Of the status, in units of the record."""


class Beside(Rack):
    """A rack beside a machine that somebody else steps: it goes through the same cycles, when it is looked at."""

    def __init__(self, image: Any, cycles_done: Callable[[], int]) -> None:
        super().__init__(image, lambda cycle: None)
        self.cycles_done = cycles_done

    @property
    def now_ms(self) -> int:
        """Machine time."""
        return self.cycle * CYCLE_MS

    def catch_up(self, quiet: bool = False) -> None:
        """Up to now: what had to be said meanwhile is said, with the time at which it was due. `quiet`: there was nothing."""
        now = self.cycles_done()
        if quiet:
            self.cycle = now
        while self.cycle < now:
            self.step()


class ImagerDevice(Device):
    """`camera`: does it. `files`: where pixels go."""

    def __init__(self, unit: Unit, camera: Camera, files: PixelFiles, cycles_done: Callable[[], int], verbs: Verbs, *,
                 serial: str, session: Callable[[int], str], say: Callable[[bytes], object]) -> None:
        self.camera, self.files = camera, files
        self.record, self.own_node = np.zeros(1, [(value.record_field, "f8") for value in unit.says]), np.zeros(1, NODE)
        self.numbers: list[int] = []  # of the frames that can be fetched, in order
        self.news: list[str] = []
        self.beside = Beside(None, cycles_done)
        super().__init__(unit, self.beside, (), verbs, serial=serial, session=session, say=say)

    def power_up(self) -> None:
        """As any device; its frames are gone."""
        self.numbers.clear()
        self.camera.forget()
        super().power_up()
        self.arming.lapses_ms = self.camera.lapses_ms

    @property
    def wires(self) -> Any:
        """Its readings now."""
        for name, value in (self.camera.readings() | {"newest": self.newest}).items():
            self.record[name] = value
        return self.record

    @property
    def node(self) -> Any:
        """Of its own: it is in no process image."""
        self.own_node["powered"], self.own_node["calibrated"] = self.own_node["enable"], 1.0
        return self.own_node

    @property
    def newest(self) -> int:
        """Number of the newest frame; -1 = none."""
        return self.numbers[-1] if self.numbers else -1

    @property
    def sampled_ms(self) -> int:
        """Its readings are those of now."""
        return self.now

    def hear(self, data: bytes) -> None:
        """Whatever was due before this came, then what came."""
        self.beside.catch_up(self.nothing_due(self.beside.cycles_done() * CYCLE_MS))
        super().hear(data)

    def nothing_due(self, until_ms: int) -> bool:
        """No telemetry, and the watchdog still waits: the usual case, and a second of cycles need not be gone through."""
        return not self.telemetry_ms and not (self.watched and until_ms - self.fed_ms > self.watchdog_ms)

    def take(self, line: Line) -> None:
        """The reply, then the news of it."""
        super().take(line)
        news, self.news = self.news, []
        for text in news:
            self.event(text)

    def latch(self, state: State, word: str) -> None:
        """Nothing goes on here that could be stopped, but what was armed is so no more."""
        self.camera.forget()
        super().latch(state, word)

    def more_items(self) -> list[str]:
        """What `FI` takes, in order."""
        limits = self.camera.limits
        return [f"fi={value.name} unit={value.unit} low={limits[value.name][0]} high={limits[value.name][1]}"
                for value in self.unit.fires]


def ar(device: ImagerDevice, args: Args) -> str:
    """First step. What was armed before is forgotten."""
    if device.state in LATCHED:
        raise Refused(Code.STATE, f"state={int(device.state)}")
    device.arming.ask(word(args), device.rack.now_ms)
    device.camera.arm()
    return flags(device)


def fi(device: ImagerDevice, args: Args) -> str:
    """Second step: one frame."""
    if device.state in LATCHED:
        raise Refused(Code.STATE, f"state={int(device.state)}")
    device.arming.check(args[0] if args else "", device.rack.now_ms)
    values = within(device, args[1:])
    device.arming.end()
    number = attempt(device, lambda: device.camera.fire(*values))
    device.numbers = [*device.numbers, number][-KEPT:]
    device.news.append(f"IMG {number}")
    return f"{flags(device)} {number}"


def im(device: ImagerDevice, args: Args) -> str:
    """Metadata of a frame."""
    record, _ = frame(device, args)
    return say_frame(record)


def px(device: ImagerDevice, args: Args) -> str:
    """Where its pixels are."""
    record, pixels = frame(device, args)
    try:
        return device.files.keep(f"{device.unit.name}-{int(record['number'][0])}", pixels)
    except OSError:
        raise Refused(Code.STATE, f"state={int(device.state)} why=storage") from None


def ht(device: ImagerDevice, args: Args) -> str:
    """Nothing moves; what was armed is so no more."""
    device.camera.forget()
    return COMMON["HT"](device, args) or ""


def within(device: ImagerDevice, args: Args) -> list[int]:
    """Values of `FI`, all inside their limits: else nothing is done, and it may be said again with others."""
    found = [value for value in map(integer, args) if value is not None]
    if not len(found) == len(args) == len(device.unit.fires):
        raise Refused(Code.SYNTAX)
    for told, value in zip(device.unit.fires, found, strict=True):
        low, high = device.camera.limits[told.name]
        if not low <= value <= high:
            raise Refused(Code.LIMIT, f"fi={told.name} low={low} high={high}")
    return found


def frame(device: ImagerDevice, args: Args) -> tuple[Any, Any]:
    """One that is still there."""
    number = only(args, 0, 2**31 - 1)
    if number not in device.numbers:
        low, high = (device.numbers[0], device.numbers[-1]) if device.numbers else (0, -1)
        raise Refused(Code.LIMIT, f"low={low} high={high}")
    found: tuple[Any, Any] = attempt(device, lambda: device.camera.frame(number))
    return found


def attempt(device: ImagerDevice, do: Callable[[], Any]) -> Any:
    """What the camera says, or its refusal as one of the wire's."""
    try:
        return do()
    except ExposureRefused as refusal:
        raise Refused(Code.STATE, f"state={int(device.state)} why={refusal.why}") from None
    except ValueError:
        raise Refused(Code.STATE, f"state={int(device.state)} why=readings") from None


def flags(device: ImagerDevice) -> str:
    """The number."""
    return device.state_and_flags().split()[1]


IMAGING: dict[str, Any] = {"AR": ar, "FI": fi, "IM": im, "PX": px, "HT": ht}


def new_imager(name: str, camera: Camera, files: PixelFiles, cycles_done: Callable[[], int], seed: int,
               say: Callable[[bytes], object]) -> ImagerDevice:
    """One of the two."""
    verbs = {verb: does for verb, does in {**COMMON, "SV": sv, **IMAGING}.items() if verb not in LEFT_OUT}
    return ImagerDevice(IMAGERS[name], camera, files, cycles_done, verbs, serial=f"SIM-{name}-{seed}",
                        session=session_of(seed, name), say=say)
