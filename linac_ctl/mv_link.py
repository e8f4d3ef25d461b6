"""The virtual portal imager: what the panel under the patient gathers between two moments, and what crosses the wire of it.

True are the MU that left the machine, jaws, leaves, gantry, arm and couch as the plant has them, and the patient; told are
readbacks and the MU that the controller itself has counted.
"""

from typing import TYPE_CHECKING

import numpy as np

from device_models.imagers.aperture import Aperture
from device_models.imagers.errors import ExposureRefused
from device_models.imagers.frame import Frame
from device_models.imagers.mv import MvImager, MvShot
from device_models.patient.hidden import HiddenPose

from .config.machine import MachineConfig
from .errors import DeviceError, RefusedError
from .subsystems.mv_frames import MvFrame
from .told_frames import Readings, crossed, jaws_mm, mv_frame

if TYPE_CHECKING:
    from .imager_link import ImagerLink

WIDE_OPEN = 1000.0  # mm: a jaw that is not there
NOTHING = -1.0


class MvLink:
    """`Portal` of the virtual room."""

    def __init__(self, room: "ImagerLink", machine: MachineConfig) -> None:
        self.room, self.machine = room, machine
        self.imager = MvImager(room.prepared.imagers.mv, room.prepared.projector, HiddenPose(), room.seed)
        self.field = Readings(machine, room.image)
        self.since_mu, self.mode, self.binning = NOTHING, "", 1

    # --- Portal

    def start(self, mode: str, binning: int) -> None:
        """Collect from now on."""
        self.mode, self.binning = mode, binning
        self.gather()

    def stop(self, mu: float) -> MvFrame:
        """The image: here the pixels are made."""
        try:
            frame = self.keep(self.binning)
        except ExposureRefused as refusal:
            raise RefusedError(str(refusal)) from None
        except ValueError as error:
            raise DeviceError(f"{error}; image again") from None
        return mv_frame(crossed(frame), frame.pixels, self.mode, mu, self.field)

    def discard(self) -> None:
        """Nobody will ask for this any more."""
        self.since_mu = NOTHING

    # --- the far end itself, with or without a line before it

    @property
    def gathering(self) -> bool:
        """Does the panel collect?"""
        return self.since_mu >= 0.0

    def gather(self) -> None:
        """Empty the panel, and collect from now on."""
        self.since_mu = self._true_mu()

    def keep(self, binning: int) -> Frame:
        """What has been gathered; ExposureRefused when that is nothing. Here the pixels are made."""
        if not self.gathering:
            raise ExposureRefused("MV imager: nothing is being collected; start the panel before the beam", "nothing")
        given, self.since_mu = self._true_mu() - self.since_mu, NOTHING
        self.imager.patient = self.room.hidden()
        shot = MvShot(self._true_mode(), given, self.room.truth_now(), self.room.seen_now(), self._true_aperture(), binning)
        return self.imager.collect(shot)

    # --- truth

    def _true_mu(self) -> float:
        return float(self.room.plant.beam["true_total_mu"][0])

    def _true_mode(self) -> str:
        sensed = int(self.room.plant.carousel["sensed"][0])
        return list(self.machine.beam.modes)[sensed] if sensed >= 0 else "(none)"

    def _true_aperture(self) -> Aperture:
        room, mlc = self.room, self.machine.mlc
        jaws = jaws_mm(self.machine, room.standing("jaws"), WIDE_OPEN)
        turn = float(next(iter(room.standing("collimator")), 0.0))
        if mlc is None:
            return Aperture(jaws, turn)
        tips = np.array(room.standing("mlc"))
        return Aperture(jaws, turn, np.array(mlc.boundaries_mm), tips[: mlc.pairs], tips[mlc.pairs :])
