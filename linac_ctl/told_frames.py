"""Frames as the controller gets them: what an imager told, in whole numbers of its wire whether or not there is a wire."""

from typing import Any

import numpy as np

from device_models.imagers.frame import Frame
from device_models.imagers.told import told_record
from device_models.interface.image import Image
from device_models.interface.wire.frames import hear_frame, say_frame

from .config.machine import MachineConfig
from .errors import DeviceError
from .imaging.geometry import KV_AHEAD_DEG
from .plan.model import JAWS
from .subsystems.kv_frames import KvFrame, Technique
from .subsystems.mv_frames import MvFrame

PER = 1000.0  # V, uA, us


def told(frame: Frame) -> KvFrame:
    """A kV frame of a virtual imager that stands in this process."""
    return kv_frame(crossed(frame), frame.pixels)


def crossed(frame: Frame) -> Any:
    """-> FRAME (1,), as if it had crossed a line; DeviceError for what no line could carry."""
    if (heard := hear_frame(say_frame(told_record(frame)).split())) is None:
        who = f"{frame.metadata.kind} imager: frame {frame.metadata.number}"
        raise DeviceError(f"{who} has metadata that no wire carries; image again")
    return heard


def kv_frame(record: Any, pixels: Any) -> KvFrame:
    """record: FRAME (1,)"""
    it = record[0]
    return KvFrame(pixels, int(it["number"]), float(it["time_s"]), float(it["gantry_deg"]), float(it["gantry_deg"]) + KV_AHEAD_DEG,
                   tuple(it["source_mm"].tolist()), tuple(it["panel_mm"].tolist()), tuple(it["couch"].tolist()),
                   float(it["pitch_mm"]), float(it["air_counts"]), float(it["kv"]), float(it["mas"]))


def mv_frame(record: Any, pixels: Any, mode: str, mu: float, field: "Readings") -> MvFrame:
    """record: FRAME (1,). Mode, MU, jaws and collimator are what the controller itself knows."""
    it = record[0]
    return MvFrame(pixels, int(it["number"]), float(it["time_s"]), float(it["gantry_deg"]), float(it["gantry_deg"]),
                   tuple(it["source_mm"].tolist()), tuple(it["panel_mm"].tolist()), tuple(it["couch"].tolist()),
                   float(it["pitch_mm"]), float(it["air_counts"]) * mu, mode, mu, field.jaws_mm, field.collimator_deg)


def whole(technique: Technique) -> tuple[int, int, int, int]:
    """V, uA, us and binning: what is asked of a tube is what its wire can say, without a wire as well."""
    return round(technique.kv * PER), round(technique.ma * PER), round(technique.ms * PER), technique.binning


class Readings:
    """What the controller reads of the field now."""

    def __init__(self, machine: MachineConfig, image: Image) -> None:
        self.machine, self.image = machine, image

    @property
    def jaws_mm(self) -> tuple[float, float, float, float]:
        """X1 X2 Y1 Y2; infinite where the machine has no such jaw."""
        return jaws_mm(self.machine, self.image.jaws["readback"], float("inf"))

    @property
    def collimator_deg(self) -> float:
        """0 on a machine whose collimator does not turn."""
        return float(np.append(self.image.collimator["readback"], 0.0)[0])


def jaws_mm(machine: MachineConfig, positions: Any, absent: float) -> tuple[float, float, float, float]:
    """X1 X2 Y1 Y2; `absent`: how far away a jaw is that the machine has not."""
    there = {axis.name: float(place) for axis, place in zip(machine.jaws, positions, strict=True)}
    x1, x2, y1, y2 = (there.get(name, absent if name.endswith("2") else -absent) for name in JAWS)
    return x1, x2, y1, y2
