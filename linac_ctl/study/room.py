"""The room of a study: real pixels of a patient who lies somewhere, and what the controller makes of them.

The same imagers, reconstruction and matchers as in a session, used on snapshots: no scan cycle, no steps, no records.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from device_models.imagers.config import FlexConfig, KvConfig, load_imagers
from device_models.imagers.frame import Instant
from device_models.imagers.kv import KvImager, KvShot, Permits
from device_models.imagers.projector import Projector, voxel_projector
from device_models.imagers.tube import Technique
from device_models.interface.volume import Volume
from device_models.patient.couch import CouchPose
from device_models.patient.hidden import HiddenPose
from device_models.patient.patient import Patient, from_phantom
from device_models.patient.spine import spine

from ..config.loader import load, load_machine, validate
from ..config.machine import KvImagerConfig
from ..errors import ConfigError
from ..imager_link import CT_NOISE_HU, CT_SEED, CT_SPACING_MM
from ..imaging.clip import ClipBox
from ..imaging.fdk import MODES, Reconstruction, reconstruct
from ..imaging.fit import Fit, QualityLimits
from ..imaging.geometry import Frames, Panel, kv_angle_deg
from ..imaging.reference import Reference, matched_reference
from ..imaging.register_pair import PairMatcher, Radiograph
from ..imaging.register_volume import PointMatcher
from ..imaging.scatter import ScatterModel
from ..sequencer.frame_numbers import attenuation, frames_of, integrals, sags
from ..sequencer.protocol import ProtocolConfig
from ..subsystems.kv_frames import KvFrame
from ..told_frames import told
from .config import StudyConfig, Triple


@dataclass(frozen=True, slots=True)
class Look:
    """One acquisition: who lies there, where the couch really stands and what it says, when, whose imager is off by what."""

    kind: str  # pair or cbct
    number: int  # names its noise
    time_s: float
    hidden: HiddenPose
    couch: CouchPose
    seen: CouchPose
    imager_off_mm: Triple

    def at_rest(self, time_s: float) -> HiddenPose:
        """The patient as he lies at one instant: drift during half a minute is small, and every turn costs a resampling."""
        return replace(self.hidden, set_up=self.hidden.on_couch(time_s, self.couch.rotation_deg), motions=())


@dataclass(slots=True, eq=False)
class Room:
    """Made once per process."""

    study: StudyConfig
    protocol: ProtocolConfig
    known: KvImagerConfig  # what the controller knows
    true: KvConfig  # what is
    patient: Patient
    projectors: dict[str, Projector]
    ct: Volume  # attenuation, 1/mm
    _reference: Reference | None = None
    _matchers: dict[tuple[str, int], Any] = field(default_factory=dict)

    @property
    def how(self) -> Reconstruction:
        """Of the study's scan."""
        return MODES[self.study.scan.reconstruction]

    @property
    def limits(self) -> QualityLimits:
        """When a match counts: the protocol's."""
        asked = self.protocol.registration
        return QualityLimits(asked.similarity, asked.inside, asked.lead, asked.reach_mm, asked.reach_deg)

    @property
    def scan_s(self) -> float:
        """First to last frame."""
        return (self.study.scan.stop_deg - self.study.scan.start_deg) / self.study.timeline.gantry_deg_per_s

    def lasts_s(self, kind: str) -> float:
        """An acquisition of this kind."""
        return self.scan_s if kind == "cbct" else self.study.timeline.pair_s

    # --- device side

    def frames(self, look: Look, seed: int) -> tuple[KvFrame, ...]:
        """Pixels and readbacks. An imager as if just switched on, so that a look depends on nothing before it."""
        scan = self.study.scan
        if look.kind == "cbct":
            angles, binning = np.linspace(scan.start_deg, scan.stop_deg, scan.frames), scan.binning
        else:
            angles, binning = np.array(self.study.pair.gantry_deg), self.study.pair.binning
        times = look.time_s + np.linspace(0.0, self.lasts_s(look.kind), len(angles))
        still = look.at_rest(look.time_s + 0.5 * self.lasts_s(look.kind))
        imager = KvImager(shifted(self.true, look.imager_off_mm), self.projectors[look.kind], still, seed, look.number)
        asked = self.protocol.technique
        technique = Technique(asked.kv, asked.ma, asked.ms)
        shots = [KvShot(technique, Instant(float(t), float(a), look.couch), Instant(float(t), float(a), look.seen), binning)
                 for t, a in zip(times, angles)]
        return tuple(told(frame) for frame in imager.scan(shots, Permits(True, True)))

    # --- controller side

    def volume(self, frames: tuple[KvFrame, ...]) -> Volume:
        """A CBCT."""
        return reconstruct(integrals(frames), frames_of(frames, self.known.flex), self.how)

    def radiographs(self, frames: tuple[KvFrame, ...]) -> tuple[Radiograph, ...]:
        """A pair."""
        images, places = integrals(frames), frames_of(frames, self.known.flex)
        return tuple(Radiograph(images[k], places.view(k)) for k in range(len(frames)))

    def match(self, kind: str, image: Any, dof: int) -> Fit:
        """Where the patient is, by the volume or the radiographs."""
        if (kind, dof) not in self._matchers:
            self._matchers[kind, dof] = self._matcher(kind, dof)
        fit: Fit = self._matchers[kind, dof](image)
        return fit

    def _matcher(self, kind: str, dof: int) -> Any:
        if kind == "pair":
            return PairMatcher(self.ct, dof, self._scatter())
        if self._reference is None:
            self._reference = matched_reference(self.ct, self._nominal(), self.how, self._scatter())
        asked = self.protocol.registration
        return PointMatcher(self._reference, ClipBox(asked.clip_low_mm, asked.clip_high_mm), dof)

    def _scatter(self) -> ScatterModel | None:
        physics = self.protocol.physics
        return ScatterModel(physics.scatter_ratio, physics.scatter_width_mm) if physics.scatter_ratio else None

    def _nominal(self) -> Frames:
        """The scan as the protocol asks for it, arms sagging as measured."""
        scan, kv = self.study.scan, self.known
        gantry = np.linspace(scan.start_deg, scan.stop_deg, scan.frames)
        panel = Panel(kv.columns, kv.rows, kv.pitch_mm, kv.pitch_mm).binned(scan.binning)
        source, detector, lateral, longitudinal = kv.imaging_mm
        sag = sags(kv.flex, gantry)
        return Frames(panel, kv_angle_deg(gantry), np.array([0.0, longitudinal, source]) + sag[0],
                      np.array([lateral, longitudinal, detector]) + sag[1])


def furnish(study: StudyConfig) -> Room:
    """Phantom, planning CT, imagers; ConfigError when machine or protocol are wrong."""
    protocol = validate(ProtocolConfig, load("protocols", study.protocol))
    if (known := load_machine(study.machine).controller.kv_imager) is None:
        raise ConfigError(f"study {study.name}: machine {study.machine} takes no kV images; name one that has a kv_imager")
    phantom = spine()
    patient = from_phantom(phantom, study.truth_mm)
    planning = phantom.sampled(CT_SPACING_MM, fine=3, noise_hu=CT_NOISE_HU, seed=CT_SEED)
    # coarser voxels of the truth would cost a CBCT of few pixels 0.2 mm more; each kind keeps its own cache
    projectors: dict[str, Projector] = {kind: voxel_projector(patient.hu, coarsest_mm=2.0) for kind in ("cbct", "pair")}
    ct = attenuation(planning, protocol.physics.water_per_mm, protocol.physics.bone_factor)
    return Room(study, protocol, known, load_imagers().kv, patient, projectors, ct)


def shifted(kv: KvConfig, off_mm: Triple) -> KvConfig:
    """The imager as a whole beside the beam's isocentre: source and panel by the same vector of the fixed frame at any angle."""
    if not any(off_mm):
        return kv
    x, y, z = off_mm
    along = np.array([[0.0, -z, -x], [y, 0.0, 0.0], [0.0, x, -z]])  # u v w of gantry + 90: constant, cos, sin of the gantry angle
    source, panel = (along + np.array(parts) for parts in (kv.flex.source_mm, kv.flex.panel_mm))
    flex = FlexConfig(source_mm=source.tolist(), panel_mm=panel.tolist(), roll_deg=kv.flex.roll_deg)
    return kv.model_copy(update={"flex": flex})
