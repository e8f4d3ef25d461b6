"""The controller's memory and all wires, without a machine: records of zeros, in which a test says what it wants.

    bare = Bare()
    bare.set("room", key_on=1.0)
    measure_room(bare.job, bare.signals, bare.room)
    bare.signals[Signal.KEY]
"""

from typing import Any

import numpy as np

from device_models.interface.image import AXIS_DEVICES, Image, new_image, records
from linac_ctl.control.journal import JOURNAL, SLOTS
from linac_ctl.control.signals import N_SIGNALS, Signal
from linac_ctl.control.state import AIM, JOB, PARAM, WATCH, Control, Trajectory
from linac_ctl.interlocks.scan import new_rows

SIZES = {"gantry": 1, "collimator": 1, "jaws": 4, "mlc": 4, "carriages": 2, "couch": 6, "kv_arms": 4, "mv_arm": 3}
POINTS = 3
UNTOLD = 77.0  # of a signal that nobody has made yet


class Bare:
    """See the module's first lines."""

    def __init__(self, sizes: dict[str, int] = SIZES) -> None:
        self.image: Image = new_image(sizes)
        signals, tables = np.full(N_SIGNALS, UNTOLD), (new_rows(5), records(16, WATCH))
        axes = [records(sizes[name], AIM) for name in AXIS_DEVICES]
        self.control = Control._make((*axes, records(1, JOB), records(1, PARAM), signals, *tables, trajectory(sizes),
                                      records(SLOTS, JOURNAL), np.zeros((4, 4), np.float32)))
        self.signals = signals

    @property
    def job(self) -> Any:
        """The record."""
        return self.control.job[0]

    @property
    def param(self) -> Any:
        """The record."""
        return self.control.param[0]

    @property
    def beam(self) -> Any:
        """The record."""
        return self.image.beam[0]

    @property
    def room(self) -> Any:
        """The record."""
        return self.image.room[0]

    @property
    def safety(self) -> Any:
        """The record."""
        return self.image.safety[0]

    def set(self, part: str, **fields: Any) -> "Bare":
        """Fields of a record ("job", "param", "beam", "room", "safety"), or of all records of a device's wires ("couch")."""
        where = self.control if part in ("job", "param") else self.image
        for name, value in fields.items():
            getattr(where, part)[name] = value
        return self

    def signal(self, signal: Signal) -> float:
        """Its value."""
        return float(self.signals[signal])


def trajectory(sizes: dict[str, int]) -> Trajectory:
    """Control points of zeros."""
    flat = [np.zeros(POINTS) for _ in range(6)]
    axes = [np.zeros((POINTS, sizes[name])) for name in ("gantry", "collimator", "jaws", "mlc", "carriages")]
    return Trajectory._make((*flat, np.zeros(POINTS, np.int64), np.zeros(POINTS), *axes))
