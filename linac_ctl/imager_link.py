"""The wire between controller and virtual imagers, and who lies on the virtual couch: composition, like app.py.

Exposures are noted at their instant (where everything really is, what the readbacks say); pixels are computed when they are
read, between cycles, as a pure function of those notes. How long that takes the computer is nobody's business: machine time
stands still. The controller gets pixels and readbacks; the patient's pose stays here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from device_models.hands import Hands
from device_models.imagers.config import ImagersConfig, load_imagers
from device_models.imagers.errors import ExposureRefused
from device_models.imagers.frame import Frame, Instant
from device_models.imagers.kv import KvImager, KvNote, KvShot, Permits, allowed
from device_models.imagers.projector import Projector, voxel_projector
from device_models.imagers.tube import Technique as TubeTechnique
from device_models.interface.image import DT_S, Image
from device_models.interface.volume import Pose
from device_models.patient.couch import CouchPose
from device_models.patient.ct_import import load_ct
from device_models.patient.hidden import HiddenPose
from device_models.patient.motion import Breathing, Drift, Jump, Motion, SetUpError, TurnShift
from device_models.patient.patient import Patient, belongs, from_ct, from_phantom
from device_models.patient.rtstruct_import import load_structures
from device_models.patient.spine import spine
from device_models.patient.surface import SurfaceMonitor
from device_models.patient.trace import Trace, load_trace

from .config.session import MotionConfig, PatientConfig, SetUpErrorConfig
from .errors import DeviceError, PlanError, RefusedError
from .imaging.patient_position import in_fixed_frame
from .imaging.pose import six
from .plan.make.uids import uid
from .plan.model import Beam, Plan
from .sequencer.images import PlanningImages
from .subsystems.kv_frames import KvFrame, Technique
from .told_frames import PER, told, whole

SKIN_MM = np.array([0.0, 0.0, 100.0])  # what the surface monitor looks at, patient's axes
CT_SPACING_MM, CT_NOISE_HU, CT_SEED = 2.0, 12.0, 3  # the planning CT of a phantom: its own sampling, its own noise


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What takes long to make and no session changes: voxels, projector, planning images. Sessions may share it."""

    patient: Patient
    projector: Projector
    planning: PlanningImages
    imagers: ImagersConfig


def prepare(choice: PatientConfig, plan: Plan) -> Prepared:
    """PlanError when patient, images and plan do not belong together, or the patient cannot move as asked."""
    for config in (choice.motion, *choice.more_motion):
        motions(config, seed=0)  # a trace that cannot be used is said before there is a run folder
    try:
        patient, planning = phantom_patient(choice, plan) if choice.phantom else ct_patient(choice, plan)
        return Prepared(patient, voxel_projector(patient.hu), planning, load_imagers())
    except ValueError as error:
        raise PlanError(str(error)) from None


def phantom_patient(choice: PatientConfig, plan: Plan) -> tuple[Patient, PlanningImages]:
    """The built-in spine; its planning CT is another sampling of the same bodies."""
    phantom = spine(fiducials=choice.fiducials)
    patient = from_phantom(phantom, choice.spacing_mm)
    ct = phantom.sampled(CT_SPACING_MM, fine=3, noise_hu=CT_NOISE_HU, seed=CT_SEED)
    x, y, z = (float(v) for v in patient.target.centroid())
    name = (phantom.name, "with markers") if choice.fiducials else (phantom.name,)
    return patient, PlanningImages(ct, plan.patient_id, uid("planning CT", *name), plan.frame_of_reference_uid, (x, y, z),
                                   markers_mm=tuple(phantom.markers_mm.values()))


def ct_patient(choice: PatientConfig, plan: Plan) -> tuple[Patient, PlanningImages]:
    """A patient from a planning CT and its structures; they must be those of the plan."""
    assert choice.ct is not None and choice.structures is not None
    ct = load_ct(choice.ct, isocentre_of(plan))
    belongs(ct.identity, plan.patient_id, plan.frame_of_reference_uid, f"plan {plan.label}", plan.patient_position)
    patient = from_ct(ct, load_structures(choice.structures, ct, choice.target, planned_on=plan.structure_set_uid))
    x, y, z = (float(v) for v in patient.lying.apply(patient.target.centroid()))
    who, hu = ct.identity, in_fixed_frame(ct.volume, ct.identity.patient_position)
    return patient, PlanningImages(hu, who.patient_id, who.series_uid, who.frame_of_reference_uid, (x, y, z),
                                   who.patient_position, who.study_uid, who.sop_uids)


def isocentre_of(plan: Plan) -> tuple[float, float, float]:
    """DICOM coordinates; PlanError where there is none, or more than one: images are matched about one place."""
    places = {beam.isocentre_mm: beam.number for beam in plan.beams}
    found, *more = places
    if found is None or None in more:
        raise PlanError(f"plan {plan.label}: a beam gives no isocentre, so the CT cannot be placed on the couch; export it again")
    if more:
        beams = " and ".join(f"{place} mm (beam {number})" for place, number in places.items())
        raise PlanError(f"plan {plan.label}: {len(places)} isocentres, {beams}; image-guided sessions take one: split the plan")
    return found


def planned_couch(beam: Beam) -> CouchPose:
    """Where the plan puts the couch; zero where it leaves that open."""
    return CouchPose(*(float(v) for v in np.nan_to_num(beam.couch[0])))


def set_up_pose(config: SetUpErrorConfig, seed: int, patient: str) -> Pose:
    """Where set-up leaves the patient, in the patient's axes."""
    if config.given is not None:
        return Pose(config.given[:3], config.given[3:])
    sigmas = SetUpError(config.systematic_mm, config.random_mm, config.systematic_deg, config.random_deg, config.limit_sigma)
    return sigmas.drawn(seed, patient)


def motions(config: MotionConfig, seed: int) -> tuple[Motion, ...]:
    """What the patient does meanwhile; PlanError for a trace that cannot be used."""
    if config.kind == "drift":
        return (Drift(seed, config.rate_mm_per_min, wander_mm=config.wander_mm),)
    if config.kind == "breathing":
        return (Breathing(config.amplitude_mm, config.period_s),)
    if config.kind == "jump":
        return (Jump(config.after_s, Pose(config.by[:3], config.by[3:])),)
    if config.kind == "trace":
        try:
            return (load_trace(str(config.file)),)
        except ValueError as error:
            raise PlanError(str(error)) from None
    return ()


class ImagingHands(Hands):
    """As Hands, and the exposure switch at the console: a dead-man on the generator's own wire."""

    def __init__(self, plant: Any, stop: Callable[[], None]) -> None:
        super().__init__(plant, stop)
        self.exposure_held = False

    def acts(self) -> tuple[str, ...]:
        """Everything hands can do."""
        return (*super().acts(), "hold_exposure", "release_exposure")

    def do(self, act: str) -> None:
        """Do it now; ValueError for an act that does not exist."""
        if act in ("hold_exposure", "release_exposure"):
            self.exposure_held = act == "hold_exposure"
            return
        super().do(act)


class ImagerLink:
    """`Exposures` of the virtual room. `set_up_s`: machine time at which the patient was left alone."""

    def __init__(self, prepared: Prepared, choice: PatientConfig, beam: Beam, plant: Any, image: Image, hands: ImagingHands,
                 cycle: Callable[[], int], set_up_s: Callable[[], float], seed: int) -> None:
        self.prepared, self.plant, self.image, self.hands = prepared, plant, image, hands
        self.cycle, self.set_up_s = cycle, set_up_s
        self.seed, self.reference = seed, planned_couch(beam)
        self.set_up = set_up_pose(choice.set_up_error, seed, prepared.patient.name)
        self.motions = tuple(m for config in (choice.motion, *choice.more_motion) for m in motions(config, seed))
        turn = choice.turn_shift
        self.turn = TurnShift(seed, turn.sigma_mm_at_90, turn.sigma_deg_at_90)
        self.monitor = SurfaceMonitor(prepared.imagers.surface, seed)
        self.imager = KvImager(prepared.imagers.kv, prepared.projector, HiddenPose(), seed)
        self.shots: list[KvNote] = []

    # --- Exposures

    def expose(self, technique: Technique) -> None:
        """One exposure in this cycle; RefusedError when the generator says no."""
        try:
            self.shots.append(self.note(*whole(technique)))
        except ExposureRefused as refusal:
            raise RefusedError(str(refusal)) from None
        except ValueError as error:
            raise DeviceError(f"{error}; image again") from None

    def read(self) -> tuple[KvFrame, ...]:
        """All frames since the last look: here the pixels are made."""
        shots, self.shots = self.shots, []
        try:
            frames = self.develop(shots)
        except ExposureRefused as refusal:
            raise RefusedError(str(refusal)) from None
        return tuple(told(frame) for frame in frames)

    def discard(self) -> None:
        """Nobody will ask for these any more."""
        self.shots = []

    # --- the far end itself, with or without a line before it

    def note(self, volt: int, microampere: int, microsecond: int, binning: int) -> KvNote:
        """One exposure in this cycle; ExposureRefused, or ValueError when the machine does not know where it stands."""
        technique = TubeTechnique(volt / PER, microampere / PER, microsecond / PER)
        allowed(self.permits())
        self.imager.tube.check(technique)
        note = self.imager.note(KvShot(technique, self.truth_now(), self.seen_now(), binning))
        self.image.room["kv_exposures"] += 1
        return note

    def develop(self, notes: Sequence[KvNote]) -> list[Frame]:
        """Pixels of exposures."""
        self.imager.patient = self.hidden()
        return self.imager.develop(notes)

    def heat_kj(self) -> float:
        """In the anode now."""
        return self.imager.tube.heat_then(self.cycle() * DT_S)

    # --- the virtual room

    def permits(self) -> Permits:
        """The generator's own wires: both door contacts, the exposure switch, key and emergency stops."""
        room = self.plant.room[0]
        door = bool(room["door_1"] == 1.0 and room["door_2"] == 1.0)
        enabled = bool(room["key_on"] == 1.0 and room["estop_ok"] == 1.0 and room["mains_ok"] == 1.0)
        return Permits(door, self.hands.exposure_held, enabled)

    def truth_now(self) -> Instant:
        """Where the drives really are."""
        return self._instant(*(self.standing(name) for name in ("gantry", "couch", "kv_arms", "mv_arm")))

    def standing(self, name: str) -> Any:
        """Where a device's axes really are; of one outside this process only its encoders know: the second ones, on the load."""
        drives = getattr(self.plant, name)
        return drives["position"] if len(drives) else getattr(self.image, name)["readback_2"]

    def couch_now(self) -> CouchPose:
        """As `standing`."""
        return CouchPose(*map(float, self.standing("couch")))

    def seen_now(self) -> Instant:
        """What the encoders say."""
        return self._instant(*(getattr(self.image, name)["readback"] for name in ("gantry", "couch", "kv_arms", "mv_arm")))

    def _instant(self, gantry: Any, couch: Any, kv_arms: Any, mv_arm: Any) -> Instant:
        arms: Any = tuple(map(float, kv_arms))
        portal: Any = tuple(map(float, mv_arm)) or (-500.0, 0.0, 0.0)
        return Instant(self.cycle() * DT_S, float(gantry[0]), CouchPose(*map(float, couch)), arms, portal)

    def hidden(self) -> HiddenPose:
        """The patient on this couch."""
        return self.prepared.patient.hidden(self.set_up, self.motions, self.turn, reference=self.reference,
                                            set_up_at_s=self.set_up_s())

    def look_at_skin(self) -> None:
        """The surface monitor takes a picture, and an earlier one comes out on the wire."""
        time_s, couch, room = self.cycle() * DT_S, self.couch_now(), self.image.room
        chest = [float(m.at(time_s - self.set_up_s()).t_mm[2]) for m in self.motions if isinstance(m, Breathing | Trace)]
        self.monitor.take(self.cycle(), self.hidden().carried(SKIN_MM, time_s, couch), sum(chest))
        if (answer := self.monitor.answer(self.cycle(), DT_S)) is not None:
            room["surface_cycle"], room["surface_mm"][0, :], room["breath_mm"] = answer[0], answer[1][:3], answer[1][3]

    def residual(self, planned_angle_deg: float) -> tuple[float, tuple[float, ...]]:
        """Truth, for referee and reports: (mm of the target's centre from its planned place, six numbers of the whole error)."""
        time_s, couch = self.cycle() * DT_S, self.couch_now()
        truth = self.prepared.patient.truth(self.hidden())
        error = six(truth.hidden.error(time_s, couch, planned_angle_deg))
        return round(truth.residual_mm(time_s, couch, planned_angle_deg), 4), tuple(round(v, 4) + 0.0 for v in error)
