"""The imaging desk: what was taken in this session, what it was compared with, and what came of it. Images and metadata only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config.machine import KvFlexConfig
from ..errors import DeviceError, RefusedError
from ..subsystems.kv_frames import KvFrame, Six, Technique
from ..subsystems.kv_imager import KvImager
from ..subsystems.mv_frames import Frame, MvFrame
from ..subsystems.mv_imager import MvImager
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
    from ..imaging.fit import Fit
    from ..imaging.geometry import Frames
    from ..imaging.match import Binding, Match
    from ..imaging.register_pair import PairMatcher, Radiograph
    from ..imaging.register_port import PortMatcher
    from ..imaging.register_single import Found, SingleMatcher
    from ..imaging.register_volume import PointMatcher
    from ..imaging.scatter import ScatterModel
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
        if wrong := self._useless(images, couch):
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

    # --- matched

    def register(self, images: ImageSet, plan_uid: str, patient_id: str) -> "Match":
        """Compare with the plan; a poor match comes with its complaints. -> kept in `matches`"""
        from ..imaging.fit import QualityLimits
        from ..imaging.match import match_of

        asked = self.protocol.registration
        binding = self._binding(images, plan_uid, patient_id)
        fits = {"cbct": self._fit_cbct, "port": self._fit_port}
        pairs = self._fit_markers if asked.markers and images.kind == "pair" else self._fit_pair
        fit = fits.get(images.kind, pairs)(images)
        lead, reach_mm = (asked.lead, asked.reach_mm) if images.kind != "mv_pair" else self._after_turn(asked)
        limits = QualityLimits(asked.similarity, asked.inside, lead, reach_mm, asked.reach_deg)
        match = match_of(fit, binding, limits)
        self.matches.append(match)
        return match

    def _after_turn(self, usual: RegistrationConfig) -> tuple[float, float]:
        """Lead and reach of an MV pair."""
        turn = self.protocol.after_turn
        return (usual.lead, usual.reach_mm) if turn is None else (turn.lead, turn.reach_mm)

    def _fit_cbct(self, images: ImageSet) -> "Fit":
        """Reconstructed, then volume against volume."""
        from ..imaging.couch_shift import planned_pose
        from ..imaging.fdk import MODES, reconstruct

        geometry = frames_of(images.frames, self.kv.config.flex)
        volume = reconstruct(integrals(images.frames), geometry, MODES[self.scan.reconstruction])
        matcher: PointMatcher = self._matcher(self.scan_name, self._new_matcher)
        return matcher(volume, planned_pose(images.couch_angle_deg))

    def _fit_pair(self, images: ImageSet) -> "Fit":
        """Radiographs of the plan against those of the patient."""
        from ..imaging.couch_shift import planned_pose

        turn = self.protocol.after_turn
        dof = turn.dof if turn is not None and images.kind == "mv_pair" else self.protocol.registration.dof
        matcher: PairMatcher = self._matcher(f"pair {dof}", lambda: self._new_pair_matcher(dof))
        return matcher([self.radiograph(frame) for frame in images.frames], planned_pose(images.couch_angle_deg))

    def _fit_markers(self, images: ImageSet) -> "Fit":
        """Markers found in both radiographs against their planned places."""
        from ..imaging.couch_shift import planned_pose
        from ..imaging.markers import match_markers

        if not self.planning.markers_mm:
            raise RefusedError(f"match: protocol {self.protocol.name} matches markers, and the planning CT has none; use one that "
                               "matches bones")
        shots = [self.radiograph(frame) for frame in images.frames]
        return match_markers(np.array(self.planning.markers_mm), shots, self.protocol.registration.dof,
                             planned_pose(images.couch_angle_deg))

    def _fit_port(self, images: ImageSet) -> "Fit":
        """The open field of each double exposure, two directions per view."""
        from ..imaging.couch_shift import planned_pose

        matcher: PortMatcher = self._matcher("port", self._new_port_matcher)
        shots = [self.radiograph(frame) for frame in images.frames[1::2]]
        return matcher(shots, planned_pose(images.couch_angle_deg), np.array(self.planning.target_mm))

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

    def locate(self, frame: KvFrame, couch_angle_deg: float, least: float) -> "Found":
        """Where the target is in one radiograph, against where it ought to be; below `least` similarity it is not found."""
        from ..imaging.couch_shift import planned_pose
        from ..imaging.register_pair import Radiograph

        geometry = frames_of((frame,), self.kv.config.flex)
        shot = Radiograph(integrals((frame,))[0], geometry.view(0))
        matcher: SingleMatcher = self._matcher("single", self._new_single_matcher)
        return matcher(shot, planned_pose(couch_angle_deg), np.array(self.planning.target_mm), least)

    def _binding(self, images: ImageSet, plan_uid: str, patient_id: str) -> "Binding":
        from ..imaging.couch import CouchPosition
        from ..imaging.match import Binding

        planning = self.planning
        if planning.patient_id != patient_id:
            raise RefusedError(f"match: the planning CT is of patient {planning.patient_id!r}, the plan of {patient_id!r}")
        return Binding(patient_id, plan_uid, images.uids, planning.series_uid, planning.frame_of_reference_uid,
                       CouchPosition(*images.couch), images.couch_angle_deg, images.acquired_s)

    def _matcher(self, what: str, new: Callable[[], Any]) -> Any:
        """Made at the first match of its kind, then kept."""
        key = f"{self.protocol.model_dump_json()}/{what}/{self.kv.config.model_dump_json()}"
        if key not in self.planning.matchers:
            self.planning.matchers[key] = new()
        return self.planning.matchers[key]

    def _new_pair_matcher(self, dof: int) -> "PairMatcher":
        """The CT by this tube, as radiographs."""
        from ..imaging.register_pair import PairMatcher

        kv, rules = self.protocol.physics, self.protocol.mv
        mv = None if rules is None else (self._attenuation(rules.physics), scatter_of(rules.physics))
        return PairMatcher(self._attenuation(kv), dof, scatter_of(kv), mv=mv)

    def _attenuation(self, physics: ImagePhysics) -> "Volume":
        return attenuation(self.planning.hu, physics.water_per_mm, physics.bone_factor)

    def _new_port_matcher(self) -> "PortMatcher":
        """The CT by the treatment beam."""
        from ..imaging.register_port import PortMatcher

        return PortMatcher(self._attenuation(self.mv_rules.physics), scatter_of(self.mv_rules.physics))

    def _new_single_matcher(self) -> "SingleMatcher":
        """The CT by this tube, for one view at a time."""
        from ..imaging.register_single import SingleMatcher

        return SingleMatcher(self._attenuation(self.protocol.physics), scatter_of(self.protocol.physics))

    def _new_matcher(self) -> "PointMatcher":
        from ..imaging.clip import ClipBox
        from ..imaging.fdk import MODES
        from ..imaging.reference import matched_reference
        from ..imaging.register_volume import PointMatcher

        asked, physics = self.protocol.registration, self.protocol.physics
        how, scatter = MODES[self.scan.reconstruction], scatter_of(physics)
        reference = matched_reference(self._attenuation(physics), self._nominal(), how, scatter)
        return PointMatcher(reference, ClipBox(asked.clip_low_mm, asked.clip_high_mm), asked.dof)

    def _nominal(self) -> "Frames":
        """Geometry of the scan as the protocol asks for it, arms sagging as measured."""
        from ..imaging.geometry import Frames, Panel, kv_angle_deg

        scan, kv = self.scan, self.kv.config
        gantry = np.linspace(scan.start_deg, scan.stop_deg, scan.frames)
        panel = Panel(kv.columns, kv.rows, kv.pitch_mm, kv.pitch_mm).binned(scan.binning)
        source, detector, lateral, longitudinal = kv.imaging_mm
        lateral = scan.lateral_mm or lateral
        n = (scan.frames, 1)
        places = np.tile([0.0, longitudinal, source], n), np.tile([lateral, longitudinal, detector], n)
        sag = sags(kv.flex, gantry)
        return Frames(panel, kv_angle_deg(gantry), places[0] + sag[0], places[1] + sag[1])

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

    def _limits(self) -> Any:
        from ..imaging.couch_shift import ShiftLimits

        asked = self.protocol.shift
        return ShiftLimits(asked.tilt_deg, asked.remote_mm, asked.remote_deg, asked.stale_mm, asked.stale_deg)


def attenuation(hu: "Volume", water_per_mm: float, bone_factor: float) -> "Volume":
    """1/mm on cubes, by the controller's own calibration of its tube."""
    from ..imaging.volume import cubes

    if max(hu.spacing_mm) - min(hu.spacing_mm) > 1e-6 * hu.spacing_mm[0]:
        hu = cubes(hu, max(hu.spacing_mm), outside=-1000.0)
    data = np.where(hu.data > 0.0, np.float32(bone_factor) * hu.data, hu.data)
    return hu.with_data(np.maximum(1.0 + 1e-3 * data, 0.0) * np.float32(water_per_mm))


def scatter_of(physics: ImagePhysics) -> "ScatterModel | None":
    """None where the protocol says there is none."""
    from ..imaging.scatter import ScatterModel

    return ScatterModel(physics.scatter_ratio, physics.scatter_width_mm) if physics.scatter_ratio else None


def lit(frame: Frame) -> Any:
    """Pixels that may have seen a beam: behind jaws there is none."""
    if not isinstance(frame, MvFrame):
        return frame.pixels
    scale = 1.0 - frame.panel_mm[2] / frame.source_mm[2]  # from the isocentre plane to the panel
    rows, columns = frame.pixels.shape
    half = max(abs(edge) for edge in (*frame.jaws_mm, 0.0) if np.isfinite(edge)) * scale / frame.pitch_mm
    low_u, low_v = max(0, int(columns / 2 - half)), max(0, int(rows / 2 - half))
    return frame.pixels[low_v : rows - low_v, low_u : columns - low_u]


def integrals(frames: Sequence[Frame]) -> Any:
    """(n, columns, rows) float32 line integrals, scatter and all; 0 counts give what half a count would."""
    return np.stack([np.log(np.float32(f.air_counts) / np.maximum(f.pixels.T.astype(np.float32), np.float32(0.5))) for f in frames])


def frames_of(frames: Sequence[Frame], flex: KvFlexConfig) -> "Frames":
    """Where source and panel were: readbacks and the sag that was measured."""
    from ..imaging.geometry import Frames, Panel

    rows, columns = frames[0].pixels.shape
    if any(frame.pixels.shape != (rows, columns) for frame in frames):
        raise DeviceError("imager: frames of one run differ in size; image again")
    sag = sags(flex, np.array([frame.gantry_deg for frame in frames]))
    return Frames(Panel(columns, rows, frames[0].pitch_mm, frames[0].pitch_mm), np.array([f.source_angle_deg for f in frames]),
                  np.array([f.source_mm for f in frames]) + sag[0], np.array([f.panel_mm for f in frames]) + sag[1])


def sags(flex: KvFlexConfig, gantry_deg: Any) -> tuple[Any, Any]:
    """(n, 3) mm each of source and panel along u, v, w."""
    angle = np.radians(gantry_deg)
    parts = np.stack([np.ones_like(angle), np.cos(angle), np.sin(angle)])
    return (np.array(flex.source_mm) @ parts).T, (np.array(flex.panel_mm) @ parts).T
