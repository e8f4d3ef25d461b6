"""The imaging desk: what was taken in this session, what it was compared with, and what came of it. Images and metadata only."""

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import RefusedError
from ..subsystems.kv_frames import KvFrame, Six, Technique
from ..subsystems.kv_imager import KvImager
from ..subsystems.mv_frames import Frame, MvFrame
from ..subsystems.mv_imager import MvImager
from . import matching
from .frame_numbers import frames_of, integrals, lit
from .protocol import (
    Decision,
    ImagePhysics,
    MvConfig,
    PairConfig,
    PortConfig,
    ProtocolConfig,
    RegistrationConfig,
    ScanConfig,
)
from .tracked import Tracked

if TYPE_CHECKING:
    from device_models.interface.volume import Volume

    from ..imaging.couch import CouchPosition
    from ..imaging.couch_shift import CouchOrder
    from ..imaging.geometry import Frames
    from ..imaging.match import Binding, Match
    from ..imaging.register_pair import Radiograph
    from .acquire_port import Port
    from .approval import Approval

FULL_SCALE = 65535
SATURATED_SHARE = 0.02  # of the pixels of a frame
BRIGHTEST = 0.99  # quantile


@dataclass(frozen=True, slots=True, eq=False)
class ImageSet:
    """Frames of one acquisition."""

    kind: str  # cbct, pair, mv_kv, mv_pair or port
    uids: tuple[str, ...]
    frames: tuple[Frame, ...]
    couch_angle_deg: float  # of the plan, for which the patient is looked at
    couch: Six  # mean of the readbacks
    cycle: int  # of the last frame
    acquired_s: float

    @property
    def kv_frames(self) -> tuple[KvFrame, ...]:
        """Those of the kV imager."""
        return tuple(frame for frame in self.frames if isinstance(frame, KvFrame))

    @property
    def mv_frames(self) -> tuple[MvFrame, ...]:
        """Those of the MV imager."""
        return tuple(frame for frame in self.frames if isinstance(frame, MvFrame))


@dataclass(frozen=True, slots=True, eq=False)
class Shift:
    """One couch shift, as the record shows it. lateral longitudinal vertical mm, rotation pitch roll deg."""

    t_s: float
    ordered: Six  # absolute targets
    achieved: Six  # readbacks after it
    change: Six  # ordered less where the couch stood at the image


@dataclass(frozen=True, slots=True, eq=False)
class PlanningImages:
    """The CT that the plan was made on, about the planned isocentre in the fixed frame; whose it is."""

    hu: "Volume"
    patient_id: str
    series_uid: str
    frame_of_reference_uid: str
    target_mm: tuple[float, float, float]  # centre of the target in the fixed frame at couch 0
    patient_position: str = "HFS"
    study_uid: str = ""
    sop_uids: tuple[str, ...] = ()  # of its slices, where it came as DICOM
    markers_mm: tuple[tuple[float, float, float], ...] = ()  # planned places of markers, fixed frame at couch 0
    matchers: dict[str, Any] = field(default_factory=dict)  # what has been made of it: one for each protocol and scan


@dataclass(slots=True, eq=False)
class Imaging:
    """Everything that steps need to image, match and shift; and a list of what was done."""

    protocol: ProtocolConfig
    scan_name: str
    kv: KvImager
    planning: PlanningImages
    couch_reference_mm: tuple[float, float, float]  # couch translations of the plan
    images: list[ImageSet] = field(default_factory=list)
    matches: list["Match"] = field(default_factory=list)
    decisions: dict[int, Decision] = field(default_factory=dict)  # index in `matches` -> what the protocol made of it
    shifts: list[Shift] = field(default_factory=list)
    tracked: list[Tracked] = field(default_factory=list)  # triggered images and frames of fluoroscopy
    mv_imager: MvImager | None = None
    imaging_mu: float = 0.0  # given for images, by chamber 1; on no beam of the plan
    imaging_fields: int = 0
    approvals: list["Approval"] = field(default_factory=list)
    ports: list["Port"] = field(default_factory=list)
    seen: dict[bytes, int] = field(default_factory=dict)  # hash of pixels -> number of the frame

    @property
    def scan(self) -> ScanConfig:
        """Of this session's mode; RefusedError when the protocol has none."""
        if (scan := self.protocol.scans.get(self.scan_name)) is None:
            there = ", ".join(self.protocol.scans)
            raise RefusedError(f"protocol {self.protocol.name}: no scan {self.scan_name!r}; there are {there}")
        found: ScanConfig = scan
        return found

    @property
    def technique(self) -> Technique:
        """Of the protocol, at the panel's binning of the scan."""
        return self.technique_at(self.scan.binning)

    def technique_at(self, binning: int) -> Technique:
        """Of the protocol."""
        asked = self.protocol.technique
        return Technique(asked.kv, asked.ma, asked.ms, binning)

    @property
    def pair(self) -> PairConfig:
        """Of the protocol; RefusedError when it has none."""
        if self.protocol.pair is None:
            raise RefusedError(f"protocol {self.protocol.name}: no kV pair; add `pair` to it, or take a CBCT")
        return self.protocol.pair

    @property
    def mv(self) -> MvImager:
        """RefusedError on a machine that has none."""
        if self.mv_imager is None:
            raise RefusedError("MV image: this machine has no MV imager; add `mv_imager` to its file, or use kV images")
        return self.mv_imager

    @property
    def mv_rules(self) -> MvConfig:
        """Of the protocol; RefusedError when it has none."""
        if self.protocol.mv is None:
            raise RefusedError(f"protocol {self.protocol.name}: no MV images; add `mv` to it, or use kV images")
        return self.protocol.mv

    @property
    def port_rules(self) -> PortConfig:
        """Of the protocol; RefusedError when it has none."""
        if self.protocol.port is None:
            raise RefusedError(f"protocol {self.protocol.name}: no port images; add `port` to it, or use kV images")
        return self.protocol.port

    # --- acquired

    def taken(self, kind: str, frames: tuple[Frame, ...], uids: tuple[str, ...], couch_angle_deg: float, cycle: int) -> ImageSet:
        """Keep an acquisition; RefusedError if it must not be used."""
        couch = np.array([frame.couch for frame in frames])
        mean: Any = tuple(round(float(v), 3) + 0.0 for v in couch.mean(axis=0))
        images = ImageSet(kind, uids, frames, couch_angle_deg, mean, cycle, frames[-1].time_s)
        self.images.append(images)
        if wrong := self._useless(images, couch) or self._seen_before(images):
            raise RefusedError(f"images refused: {wrong}; image again")
        return images

    def _useless(self, images: ImageSet, couch: Any) -> str:
        """Why these frames say nothing; empty when they do."""
        if not np.isfinite(couch).all():
            return "a couch readback is missing"
        way, limits = couch.max(axis=0) - couch.min(axis=0), self.protocol.shift
        if way[:3].max() > limits.stale_mm or way[3:].max() > limits.stale_deg:
            return f"the couch moved by {way[:3].max():.2f} mm, {way[3:].max():.2f} deg while they were taken"
        for frame in images.frames:
            share = float(np.quantile(lit(frame), BRIGHTEST)) / frame.air_counts
            if not share >= (least := self._physics(frame).least_air_share):
                return (f"frame {frame.number} shows nothing: its brightest pixels are at {share:.1%} of air, limit "
                        f"{least:.0%}; look at the {'beam' if isinstance(frame, MvFrame) else 'tube'} and the panel")
            if (full := float((frame.pixels >= FULL_SCALE).mean())) > SATURATED_SHARE:
                return f"frame {frame.number}: {full:.0%} of its pixels are saturated, limit {SATURATED_SHARE:.0%}; lower the mAs"
        return ""

    def _seen_before(self, images: ImageSet) -> str:
        """No two frames have the same noise: the same pixels are the same frame, shown again."""
        for frame in images.frames:
            word = hashlib.sha256(np.ascontiguousarray(frame.pixels).tobytes()).digest()
            if word in self.seen:
                return f"frame {frame.number} has the very pixels of frame {self.seen[word]}: the panel shows an old image"
            self.seen[word] = frame.number
        return ""

    # --- matched

    def register(self, images: ImageSet, plan_uid: str, patient_id: str) -> "Match":
        """Compare with the plan; a poor match comes with its complaints. -> kept in `matches`"""
        from ..imaging.fit import QualityLimits
        from ..imaging.match import match_of

        asked = self.protocol.registration
        binding = self._binding(images, plan_uid, patient_id)
        lead, reach_mm = (asked.lead, asked.reach_mm) if images.kind != "mv_pair" else self._after_turn(asked)
        limits = QualityLimits(asked.similarity, asked.inside, lead, reach_mm, asked.reach_deg)
        match = match_of(matching.fit(self, images), binding, limits)
        self.matches.append(match)
        return match

    def _after_turn(self, usual: RegistrationConfig) -> tuple[float, float]:
        """Lead and reach of an MV pair."""
        turn = self.protocol.after_turn
        return (usual.lead, usual.reach_mm) if turn is None else (turn.lead, turn.reach_mm)

    def geometry(self, frame: Frame) -> "Frames":
        """Where its source and panel were."""
        return frames_of((frame,), self.mv.config.flex if isinstance(frame, MvFrame) else self.kv.config.flex)

    def radiograph(self, frame: Frame) -> "Radiograph":
        """Line integrals and the view; of an MV frame the part inside the jaws."""
        from ..imaging.open_part import inside_jaws
        from ..imaging.register_pair import Radiograph

        shot = Radiograph(integrals((frame,))[0], self.geometry(frame).view(0), isinstance(frame, MvFrame))
        if not isinstance(frame, MvFrame):
            return shot
        x, y = (edge / 2.0 for edge in self.mv_rules.aperture_mm)  # where leaves shape the open field, no jaw says so
        x1, x2, y1, y2 = frame.jaws_mm
        return inside_jaws(shot, frame.gantry_deg, frame.collimator_deg, (max(x1, -x), min(x2, x), max(y1, -y), min(y2, y)))

    def _physics(self, frame: Frame) -> ImagePhysics:
        return self.mv_rules.physics if isinstance(frame, MvFrame) else self.protocol.physics

    def _binding(self, images: ImageSet, plan_uid: str, patient_id: str) -> "Binding":
        from ..imaging.couch import CouchPosition
        from ..imaging.match import Binding

        planning = self.planning
        if planning.patient_id != patient_id:
            raise RefusedError(f"match: the planning CT is of patient {planning.patient_id!r}, the plan of {patient_id!r}")
        return Binding(patient_id, plan_uid, images.uids, planning.series_uid, planning.frame_of_reference_uid,
                       CouchPosition(*images.couch), images.couch_angle_deg, images.acquired_s)

    def judged(self, decision: Decision) -> Decision:
        """Keep what was made of the latest match."""
        self.decisions[len(self.matches) - 1] = decision
        return decision

    # --- shifted

    def order(self, match: "Match") -> "CouchOrder":
        """Absolute couch targets that undo a match; RefusedError beyond what may be shifted."""
        from ..imaging.couch import CouchMechanics
        from ..imaging.couch_shift import CouchAxes, couch_order, planned_pose

        target = planned_pose(match.binding.couch_angle_deg).apply(np.array(self.planning.target_mm))
        return couch_order(match.pose, match.binding.couch, CouchAxes(self.protocol.shift.axes),
                           CouchMechanics(reference_mm=self.couch_reference_mm), self._limits(),
                           (float(target[0]), float(target[1]), float(target[2])))

    def still_there(self, order: "CouchOrder", now: "CouchPosition") -> None:
        """RefusedError when the couch is not where the images were taken."""
        from ..imaging.couch_shift import check_not_moved

        check_not_moved(order, now, self._limits())

    def where_taken(self, match: "Match", now: "CouchPosition") -> None:
        """RefusedError when the couch does not stand where the images of this match were taken: they show another place."""
        from ..imaging.couch_shift import check_where_taken

        check_where_taken("approval", match.binding.couch, now, self._limits())

    def _limits(self) -> Any:
        from ..imaging.couch_shift import ShiftLimits

        asked = self.protocol.shift
        return ShiftLimits(asked.tilt_deg, asked.remote_mm, asked.remote_deg, asked.stale_mm, asked.stale_deg)
