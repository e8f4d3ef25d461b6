"""The virtual portal imager: what the panel under the patient gathers between two moments, and what crosses the wire of it.

True are the MU that left the machine, jaws, leaves, gantry, arm and couch as the plant has them, and the patient; told are
readbacks and the MU that the controller itself has counted.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from device_models.imagers.aperture import Aperture
from device_models.imagers.errors import ExposureRefused
from device_models.imagers.frame import Frame
from device_models.imagers.mv import MvImager, MvShot
from device_models.patient.hidden import HiddenPose

from .config.machine import MachineConfig
from .errors import DeviceError, RefusedError
from .plan.model import JAWS
from .subsystems.mv_frames import MvFrame

if TYPE_CHECKING:
    from .imager_link import ImagerLink

WIDE_OPEN = 1000.0  # mm: a jaw that is not there
NOTHING = -1.0


class MvLink:
    """`Portal` of the virtual room."""

    def __init__(self, room: "ImagerLink", machine: MachineConfig) -> None:
        self.room, self.machine = room, machine
        self.imager = MvImager(room.prepared.imagers.mv, room.prepared.projector, HiddenPose(), room.seed)
        self.since_mu, self.binning = NOTHING, 1

    # --- Portal

    def start(self, mode: str, binning: int) -> None:
        """Collect from now on."""
        self.since_mu, self.binning = self._true_mu(), binning

    def stop(self, mu: float) -> MvFrame:
        """The image: here the pixels are made."""
        if self.since_mu < 0.0:
            raise RefusedError("MV imager: nothing is being collected; start the panel before the beam")
        given, self.since_mu = self._true_mu() - self.since_mu, NOTHING
        self.imager.patient = self.room.hidden()
        shot = MvShot(self._true_mode(), given, self.room.truth_now(), self.room.seen_now(), self._true_aperture(), self.binning)
        try:
            frame = self.imager.collect(shot)
        except ExposureRefused as refusal:
            raise RefusedError(str(refusal)) from None
        except ValueError as error:
            raise DeviceError(f"{error}; image again") from None
        return self._told(frame, mu, mu / given)

    def discard(self) -> None:
        """Nobody will ask for this any more."""
        self.since_mu = NOTHING

    # --- truth

    def _true_mu(self) -> float:
        return float(self.room.plant.beam["true_total_mu"][0])

    def _true_mode(self) -> str:
        sensed = int(self.room.plant.carousel["sensed"][0])
        return list(self.machine.beam.modes)[sensed] if sensed >= 0 else "(none)"

    def _true_aperture(self) -> Aperture:
        room, mlc = self.room, self.machine.mlc
        jaws = self._jaws(room.standing("jaws"), WIDE_OPEN)
        turn = float(next(iter(room.standing("collimator")), 0.0))
        if mlc is None:
            return Aperture(jaws, turn)
        tips = np.array(room.standing("mlc"))
        return Aperture(jaws, turn, np.array(mlc.boundaries_mm), tips[: mlc.pairs], tips[mlc.pairs :])

    def _jaws(self, positions: Any, absent: float) -> Any:
        """X1 X2 Y1 Y2."""
        there = {axis.name: float(place) for axis, place in zip(self.machine.jaws, positions, strict=True)}
        return tuple(there.get(name, absent if name.endswith("2") else -absent) for name in JAWS)

    # --- what crosses the wire

    def _told(self, frame: Frame, mu: float, share: float) -> MvFrame:
        """Air counts are for the MU that the controller counted, not for those that were given."""
        seen, image = frame.metadata, self.room.image
        turn = float(image.collimator["readback"][0]) if len(image.collimator) else 0.0
        jaws = self._jaws(image.jaws["readback"], float("inf"))
        return MvFrame(frame.pixels, seen.number, seen.time_s, seen.gantry_deg, seen.source_angle_deg, seen.source_mm,
                       seen.panel_mm, seen.couch.six, seen.pitch_mm, seen.air_counts * share, seen.mode, mu, jaws, turn)
