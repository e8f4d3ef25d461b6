"""Our virtual machine under somebody else's controller: its devices on ports of this computer. Composition, like app.py."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from device_models.interface.compiled import pinned
from device_models.interface.image import Image, new_image
from device_models.interface.stream import Stream
from device_models.interface.stream.contract import Port
from device_models.interface.stream.fault import LinkFault
from device_models.interface.stream.faults import DisturbedStream
from device_models.interface.stream.pace import PacedStream
from device_models.interface.stream.uart import RateStream
from device_models.interface.wire.fields import IMAGERS, UNITS
from device_models.plant import new_plant
from device_models.serve.build import new_device
from device_models.serve.rack import Rack
from device_models.serve.server import Place, Server

from .config.loader import Machine
from .config.suggest import did_you_mean
from .errors import UsageError
from .runtime.block import step

# where faults of an axis write; the law of the axis is in device_models
AXIS_FAULTS = ("moves", "gain", "creep", "slides", "scale", "bias", "drift_per_cycle", "freeze", "scale_2", "bias_2",
               "freeze_2")


class Machinery:
    """One plant for all devices that are offered: they move in one room, and share one clock."""

    def __init__(self, machine: Machine, seed: int) -> None:
        self.machine, self.seed = machine, seed
        self.image: Image = new_image(machine.controller.sizes())
        self.plant: Any = new_plant(machine.plant, seed, answered=False)
        self._step = pinned(step, self.plant, self.image, 1)
        self.rack = Rack(self.image, self._cycle)

    def _cycle(self, cycle: int) -> None:
        self._step(self.plant, self.image, np.int64(cycle))

    def set(self, text: str) -> None:
        """`couch.bias.0=0.5`: a field of the truth in which faults write; without an axis, all of them."""
        name, equals, value = text.partition("=")
        unit, _, rest = name.partition(".")
        field, _, axis = rest.partition(".")
        count = self.machine.controller.sizes().get(unit, 0)
        if not equals or not count:
            raise UsageError(f"--set {text!r}: give DEVICE.FIELD[.AXIS]=VALUE, like couch.bias.0=0.5; devices with axes are "
                             f"{', '.join(name for name, n in self.machine.controller.sizes().items() if n)}")
        if field not in AXIS_FAULTS:
            raise UsageError(f"--set {text!r}: no field {field!r}{did_you_mean(field, AXIS_FAULTS)}; there are "
                             f"{', '.join(AXIS_FAULTS)}")
        if axis and (not axis.isdigit() or int(axis) >= count):
            raise UsageError(f"--set {text!r}: axis {axis!r} is not one of 0 to {count - 1} of the {unit}")
        try:
            getattr(self.plant, unit)[field][int(axis) if axis else slice(None)] = float(value)
        except ValueError:
            raise UsageError(f"--set {text!r}: {value!r} is no number") from None

    def lines(self, names: Sequence[str], baud: int, disturb: Sequence[str]) -> dict[str, tuple[LinkFault, ...]]:
        """Faults of each device's line."""
        found: dict[str, list[LinkFault]] = {name: [] for name in names}
        for text in disturb:
            name, equals, what = text.partition("=")
            if not equals or name not in found:
                raise UsageError(f"--disturb {text!r}: give DEVICE=KIND[,KEY=VALUE]..., DEVICE one of {', '.join(names)}")
            found[name].append(link_fault(text, what))
        return {name: tuple(faults) for name, faults in found.items()}

    def serve(self, loop: asyncio.AbstractEventLoop, ports: dict[str, Port], lines: dict[str, tuple[LinkFault, ...]],
              baud: int) -> Server:
        """Each device at its place, from now on."""
        places = {name: Place(port, dress(loop.time, port, name, self.seed, lines.get(name, ()), baud))
                  for name, port in ports.items()}
        for name, place in places.items():
            place.device = new_device(name, self.rack, self.plant, self.seed, place.say, baud=baud)
        server = Server(self.rack, list(places.values()))
        server.serve(loop)
        return server


def dress(now_s: Callable[[], float], port: Port, name: str, seed: int, faults: Sequence[LinkFault],
          baud: int) -> Callable[[Stream], Stream]:
    """What lies between a device and its client: the rate of the line, and what goes wrong on it."""
    def dressed(stream: Stream) -> Stream:
        if baud:
            stream = RateStream(stream, lambda: baud, lambda: getattr(port, "baud", baud) or baud)
            stream = PacedStream(stream, lambda: baud, now_s)
        if faults:
            disturbed = DisturbedStream(stream, seed, name, "device", now_s)
            for fault in faults:
                disturbed.set(fault)
            stream = disturbed
        return stream

    return dressed


def link_fault(text: str, what: str) -> LinkFault:
    """`loss,chance=0.01`; UsageError for what is not understood."""
    kind, *given = what.split(",")
    values: dict[str, Any] = {}
    for item in given:
        key, equals, value = item.partition("=")
        if not equals or key not in LinkFault.__dataclass_fields__ or key == "kind":
            keys = [name for name in LinkFault.__dataclass_fields__ if name != "kind"]
            raise UsageError(f"--disturb {text!r}: no {key!r}{did_you_mean(key, keys)}; there are {', '.join(keys)}")
        values[key] = value if key == "way" else plain_number(text, value)
    try:
        return LinkFault(kind, **values)  # type: ignore[arg-type]
    except (ValueError, TypeError) as error:
        raise UsageError(f"--disturb {text!r}: {error}") from None


def plain_number(text: str, value: str) -> int | float:
    """Whole where it can be."""
    try:
        return int(value) if value.lstrip("-").isdigit() else float(value)
    except ValueError:
        raise UsageError(f"--disturb {text!r}: {value!r} is no number") from None


def devices_of(machine: Machine, names: Sequence[str]) -> list[str]:
    """These devices, or all that the machine has, in the order of the table of units; UsageError for one that it has not."""
    if imagers := [name for name in names if name in IMAGERS]:
        raise UsageError(f"{imagers[0]}: is not served, because it needs a patient to look at. A session has one: linac-ctl run "
                         f"spine_igrt_quick --link {imagers[0]}=pty: puts it behind bytes there")
    sizes = machine.controller.sizes()
    has = [name for name, unit in UNITS.items() if not unit.axes or sizes[name]]
    if missing := [name for name in names if name not in has]:
        raise UsageError(f"machine {machine.name} has no {missing[0]!r}{did_you_mean(missing[0], has)}; it has {', '.join(has)}")
    return [name for name in has if name in names or not names]
