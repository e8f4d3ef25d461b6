"""All ports of a run, and the guards by which the interlock table sees them."""

from collections.abc import Callable, Sequence

from device_models.interface.image import Image

from ..control.signals import Guard
from .port import LinkPort
from .stats import Recent

Say = Callable[[Guard, float], None]


class LinkBank:
    """`say`: sets a guard of the cycle; the worst port counts."""

    def __init__(self, ports: Sequence[LinkPort], say: Say) -> None:
        self.ports, self.say = tuple(ports), say
        self.recent = {Guard.LINK_BAD_FRAMES: Recent(), Guard.LINK_REPEATED: Recent(), Guard.LINK_OLD: Recent()}
        self.before = dict.fromkeys(self.recent, 0)

    def send(self, image: Image, cycle: int) -> None:
        """Every port's request, before any answer is waited for."""
        for port in self.ports:
            port.send(image, cycle)

    def receive(self, image: Image, cycle: int) -> None:
        """What has come, then what the table shall see of it."""
        for port in self.ports:
            port.receive(image, cycle)
        self._count(cycle, Guard.LINK_BAD_FRAMES, sum(port.stats.invalid + port.stats.refused for port in self.ports))
        self._count(cycle, Guard.LINK_REPEATED, sum(port.stats.repeated for port in self.ports))
        self._count(cycle, Guard.LINK_OLD, sum(port.stats.old for port in self.ports))
        self.say(Guard.LINK_UP, float(all(port.up for port in self.ports)))
        self.say(Guard.LINK_IDENTIFIED, float(all(port.identified for port in self.ports)))
        self.say(Guard.LINK_SILENT_CYCLES, float(max(port.silent_cycles for port in self.ports)))
        self.say(Guard.LINK_LATENCY_MS, max(port.latency_ms for port in self.ports))

    def _count(self, cycle: int, guard: Guard, total: int) -> None:
        """What has been added of late."""
        recent = self.recent[guard]
        recent.add(cycle, total - self.before[guard])
        self.before[guard] = total
        self.say(guard, float(recent.count(cycle)))
