"""Subsystems behind bytes: opens lines, meets who is there, puts ports in place of wires. Composition, like app.py.

`loopback:` and `pty:` end in this process: the virtual machine's own device hears and answers. All others lead to somebody
else's device, and the virtual machine is built without that one.
"""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from device_models.interface.image import DT_S
from device_models.interface.stream import Stream, loopback_pair, pty_pair
from device_models.interface.stream.faults import DisturbedStream
from device_models.interface.wire.fields import EVERY_UNIT, IMAGERS, UNITS, Unit
from device_models.interface.wire.framing import Decoder
from device_models.serve.far_end import FarEnd

from .config.machine import AxisConfig, MachineConfig
from .errors import LinkError
from .links.bank import LinkBank
from .links.client import Client
from .links.identity import Identity, ask_identity
from .links.imager import ImagerLine
from .links.open import open_link
from .links.port import LinkPort
from .links.tapes import Tapes
from .links.url import LinkUrl, refuse_shared
from .runtime.engine import Engine

WATCHDOG_MS = 100  # what a device waits for us; three silent cycles are a hold long before
PATIENCE_S = 0.5  # for bytes to cross a pty of our own
BEHIND = tuple(EVERY_UNIT)
NAMES = {"kv_imager": "kV imager", "mv_imager": "MV imager"}
MAY_BE_OUTSIDE = tuple(name for name, unit in UNITS.items() if unit.axes)


class End(Protocol):
    """The other end of a line, in this process."""

    def hear(self) -> None:
        """What has come is answered."""

    def close(self) -> None:
        """Nobody answers any more."""


@dataclass(frozen=True, slots=True)
class Met:
    """A device that has said who it is."""

    unit: Unit
    url: LinkUrl
    client: Client
    identity: Identity

    def start(self, lockstep: bool) -> LinkPort:
        """Out of its latched state, watched, and its clock as we need it."""
        self.client.ask(f"RS {self.identity.session}")
        self.client.ask(f"WD {WATCHDOG_MS}")
        if "ls" in self.identity.caps:
            self.client.ask(f"LS {int(lockstep)}")
        return LinkPort(self.unit, self.client.stream, self.identity, self.client.decoder, self.client.sequence, lockstep=lockstep)


class Hardware:
    """`links`: unit -> where it is; `sim:` is left out. Order is that of the table of units, whatever order they were named in.

    `images`: does the session take any? `faulty`: seed of a run that is armed for faults, whose lines can be disturbed.
    """

    def __init__(self, links: dict[str, LinkUrl], machine: MachineConfig, images: bool = True, faulty: int | None = None) -> None:
        self.urls = {name: links[name] for name in EVERY_UNIT if name in links and links[name].scheme != "sim"}
        self.machine, self.images, self.faulty = machine, images, faulty
        self.disturbed: dict[str, DisturbedStream] = {}
        self.outside = tuple(name for name, url in self.urls.items() if url.outside)
        self.met: dict[str, Met] = {}
        self.ports: list[LinkPort] = []
        self.imagers: list[ImagerLine] = []
        self.ends: list[End] = []
        self.lockstep = True
        self.tapes = Tapes()
        self._far: FarEnd | None = None
        self._check()

    def _check(self) -> None:
        """LinkError for what no machine can do."""
        for name, url in self.urls.items():
            if name in IMAGERS:
                self._check_imager(name, url)
            elif UNITS[name].axes and not self.machine.sizes()[name]:
                raise LinkError(f"link of {name} ({url}): this machine has no {name}; leave the link out, or take another machine")
        for name in self.outside:
            if name not in MAY_BE_OUTSIDE:
                raise LinkError(f"link of {name} ({self.urls[name]}): {name} needs the virtual machine's own truth, so it cannot "
                                f"be a device outside; use loopback: or pty:, or link one of {', '.join(MAY_BE_OUTSIDE)}")
        refuse_shared(self.urls, os.path.realpath)

    def _check_imager(self, name: str, url: LinkUrl) -> None:
        if getattr(self.machine, name) is None:
            raise LinkError(f"link of {name} ({url}): this machine has no {name}; leave the link out, or take another machine")
        if not self.images:
            raise LinkError(f"link of {name} ({url}): this session takes no images; leave the link out, or take a session with a "
                            f"patient, like spine_igrt_quick")

    def meet(self) -> None:
        """Open every line that leads outside, and ask who is there: before anything is written. LinkError says what is wrong."""
        try:
            for name in self.outside:
                self._meet(name, self._line(name, self.tapes.line(name, open_link(self.urls[name]))))
        except LinkError:
            self.close()
            raise

    def join(self, engine: Engine, seed: int) -> None:
        """Ports in place of wires from now on."""
        if self.outside and not self.met:
            self.meet()
        if inside := [name for name in self.urls if name not in self.outside and name not in IMAGERS]:
            self._far = FarEnd(engine.image, engine.plant, inside, seed, engine.step_on)
        for name in inside:
            self._connect(self._far, name)
        self.lockstep = all("ls" in met.identity.caps and self.urls[name].lockstep for name, met in self.met.items())
        self.ports = [self.met[name].start(self.lockstep) for name in self.urls if name in self.met]
        self.tapes.cycle = lambda: engine.cycle
        if not self.ports:
            return
        far = self._far
        engine.connect(LinkBank(self.ports, engine.set_guard), None if far is None else lambda cycle: far.pump(cycle, PATIENCE_S))

    def _connect(self, far: FarEnd | None, name: str) -> None:
        assert far is not None
        ours, theirs = loopback_pair(name) if self.urls[name].scheme == "loopback" else pty_pair(name)
        far.connect(name, theirs)
        self._meet(name, self._line(name, ours), far)

    def _line(self, name: str, ours: Stream) -> Stream:
        """Our end of a line, with whatever goes wrong on it in a run that is armed for that."""
        if self.faulty is not None:
            ours = self.disturbed[name] = DisturbedStream(ours, self.faulty, name, "host", self._now_s)
        return ours

    def _now_s(self) -> float:
        """Machine time, so that what is late is late by as much in every run."""
        return (self.tapes.cycle() or 0) * DT_S

    def join_imager(self, name: str, at: Callable[[Stream], End]) -> ImagerLine:
        """The line to an imager of this run; `at`: makes what answers at its other end."""
        url = self.urls[name]
        ours, theirs = loopback_pair(name) if url.scheme == "loopback" else pty_pair(name)
        end = at(theirs)
        client = Client(f"{name} ({url})", self._line(name, ours), end.hear, Decoder(maxline=IMAGERS[name].maxline))
        self.ends.append(end)
        self.imagers.append(ImagerLine(NAMES[name], IMAGERS[name], client, url.baud))
        return self.imagers[-1]

    def _meet(self, name: str, stream: Stream, far: FarEnd | None = None) -> None:
        url = self.urls[name]
        pump = (lambda: far.hear(name, PATIENCE_S)) if far else lambda: None
        client = Client(f"{name} ({url})", stream, pump, Decoder(maxline=UNITS[name].maxline))
        try:
            identity = ask_identity(client, UNITS[name], axes(self.machine, name), url.baud)
        except LinkError:
            stream.close()
            raise
        self.met[name] = Met(UNITS[name], url, client, identity)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Bytes of free-running devices are heard when they come."""
        for port in self.ports if not self.lockstep else ():
            port.attach(loop)

    def close(self) -> None:
        """Give the lines back; devices are told that time is their own again."""
        for port in self.ports:
            port.leave()
        for line in self.imagers:
            line.leave()
        for end in self.ends:
            end.close()
        for client in (*(met.client for met in self.met.values()), *(line.client for line in self.imagers)):
            client.stream.close()
        self.tapes.close()


def axes(machine: MachineConfig, name: str) -> tuple[AxisConfig, ...]:
    """What we may ask of a unit's axes; leaves of bank A, then of bank B, which is mirrored."""
    if name == "mlc":
        return leaves(machine.mlc.leaf, machine.sizes()["mlc"]) if machine.mlc else ()
    return tuple(getattr(machine, name)) if UNITS[name].axes else ()


def leaves(bank_a: AxisConfig, count: int) -> tuple[AxisConfig, ...]:
    """`count`: of both banks."""
    bank_b = bank_a.model_copy(update={"low": -bank_a.high, "high": -bank_a.low})
    return (bank_a,) * (count // 2) + (bank_b,) * (count // 2)
