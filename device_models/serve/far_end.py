"""The far end of ports that a run makes itself: the same plant, but these devices hear and answer bytes.

Their wires are apart from the controller's, so nothing reaches the other side except over the line. One thread, lockstep: whoever
advances the cycles lets the controller's ends write, then this pump, then the controller's ends read.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..interface.image import Image, Node
from ..interface.stream.contract import Stream
from ..interface.wire.fields import UNITS
from .build import new_device
from .device import Device
from .rack import Rack

OUT_OF_NODES = ("powered", "calibrated", "sampled_cycle", "named")  # what a node says


def apart(image: Image, names: Sequence[str]) -> Image:
    """The same wires, but those of `names` and of all nodes are copies."""
    return image._replace(nodes=image.nodes.copy(), **{name: getattr(image, name).copy() for name in names})


class FarEnd:
    """`step`: one cycle of the plant on the image made here, given the cycle's number."""

    def __init__(self, image: Image, plant: Any, names: Sequence[str], seed: int, step: Callable[[Image, int], Any]) -> None:
        self.near, self.image, self.plant, self.seed = image, apart(image, names), plant, seed
        self.rack = Rack(self.image, self._step)
        self.step = step
        self.lines: dict[str, tuple[Device, Stream]] = {}
        here = [int(UNITS[name].node) for name in names]
        self.others = np.array([node for node in map(int, Node) if node not in here], np.intp)

    def connect(self, name: str, stream: Stream) -> Device:
        """This unit hears and answers on this stream."""
        device = new_device(name, self.rack, self.plant, self.seed, stream.write)
        self.lines[name] = (device, stream)
        return device

    def hear(self, name: str, patience_s: float) -> None:
        """What has come for one of them, without letting time pass unless everybody asked for it."""
        device, stream = self.lines[name]
        if data := stream.read(patience_s):
            device.hear(data)
        self.rack.serve()

    def pump(self, cycle: int, patience_s: float) -> None:
        """One cycle, whether or not every request for it has arrived: a lost one is a fault, not a stop of time."""
        for device, stream in self.lines.values():
            self._hear_one(device, stream, patience_s)
        self.rack.serve()
        if self.rack.cycle <= cycle:
            self.rack.step()

    def _hear_one(self, device: Device, stream: Stream, patience_s: float) -> None:
        """Everything up to the request for this cycle; a descriptor may need a moment to pass it on."""
        while not device.waiting and (data := stream.read(patience_s)):
            device.hear(data)

    def _step(self, cycle: int) -> None:
        """The plant on wires that are these devices' own, and the controller's for all others."""
        near, far, others = self.near.nodes, self.image.nodes, self.others
        far["enable"][others] = near["enable"][others]
        self.step(self.image, cycle)
        for field in OUT_OF_NODES:
            near[field][others] = far[field][others]
