"""From the imaging desk of a finished session to its image files: composition, loaded only by sessions that imaged."""

from datetime import datetime

from .config.machine import KvFlexConfig
from .errors import LinacError, RefusedError
from .imaging.couch import CouchPosition
from .imaging.dicom_base import Subject, uid
from .imaging.dicom_ct import CT_IMAGE, hounsfield
from .imaging.dicom_registration import Images
from .imaging.dicom_rtimage import Exposure
from .imaging.fdk import MODES, reconstruct
from .imaging.volume import Volume
from .plan.model import Plan
from .records.folder import RunFolder
from .records.images import PlanningCt, Radiograph, Scan, SessionImages, write_images
from .records.manifest import Manifest
from .sequencer.images import ImageSet, Imaging, PlanningImages, frames_of, integrals
from .subsystems.kv_frames import KvFrame
from .subsystems.mv_frames import Frame, MvFrame


def write_session_images(desk: Imaging, plan: Plan, folder: RunFolder, keep: str) -> dict[str, str]:
    """What -> path in the run folder; nothing for a session that ended before its first frame."""
    if not desk.images:
        return {}
    return write_images(folder.path, session_images(desk, plan, folder.manifest), keep)


def session_images(desk: Imaging, plan: Plan, manifest: Manifest) -> SessionImages:
    """Everything that was taken, in order; volumes are made once more from the frames, which gives the same bits."""
    subject = subject_of(desk, plan, manifest)
    found = [scan for number, images in enumerate(desk.images, 1) for scan in scans_of(desk, number, images)]
    planning = PlanningCt(desk.planning.hu, desk.planning.series_uid, planning_files(desk.planning, subject))
    return SessionImages(subject, datetime.fromisoformat(manifest.started), plan.sop_instance_uid, planning,
                         tuple(found))


def subject_of(desk: Imaging, plan: Plan, manifest: Manifest) -> Subject:
    """Patient and machine; the study is that of this session."""
    planning = desk.planning
    frame = planning.frame_of_reference_uid or plan.frame_of_reference_uid or uid("frame", plan.sop_instance_uid)
    return Subject(plan.patient_id, plan.patient_name, uid("imaging study", plan.sop_instance_uid, *desk.images[0].uids), frame,
                   plan.beams[0].isocentre_mm or (0.0, 0.0, 0.0), planning.patient_position, manifest.machine,
                   manifest.code_version)


def planning_files(planning: PlanningImages, subject: Subject) -> Images | None:
    """A planning CT that came as DICOM; None for a phantom's."""
    if not planning.sop_uids:
        return None
    return Images(CT_IMAGE.uid, planning.series_uid, planning.sop_uids, planning.study_uid or subject.study_uid)


def scans_of(desk: Imaging, number: int, images: ImageSet) -> list[Scan]:
    """One for each imager that took part; none for frames whose place is not known: a readback was missing."""
    named = tuple(zip(images.frames, images.uids if len(images.uids) == len(images.frames) else [""] * len(images.frames)))
    kv, mv = (tuple((f, name) for f, name in named if isinstance(f, kind)) for kind in (KvFrame, MvFrame))
    parts = [(images.kind, kv, desk.kv.config.flex), ("mv", mv, desk.mv.config.flex if mv else desk.kv.config.flex)]
    found = [scan_of(desk, number, images, *part) for part in parts if part[1]]
    return [scan for scan in found if scan is not None]


def scan_of(desk: Imaging, number: int, images: ImageSet, kind: str, named: tuple[tuple[Frame, str], ...],
            flex: KvFlexConfig) -> Scan | None:
    """Frames of one imager; a CBCT has one name for all of them."""
    try:
        frames = frames_of([frame for frame, _ in named], flex)
        shots = tuple(Radiograph(f.pixels.T, exposure(f, desk), name) for f, name in named)
    except LinacError:
        return None
    hu = volume_of(desk, images) if kind == "cbct" else None
    match = next((m for m in desk.matches if m.binding.image_uids == images.uids), None)
    return Scan(number, kind, images.uids[0], images.acquired_s, images.couch_angle_deg, frames, shots, hu, match)


def volume_of(desk: Imaging, images: ImageSet) -> Volume | None:
    """HU; None when the frames were refused for it, as the result's reason says."""
    try:
        volume = reconstruct(integrals(images.frames), frames_of(images.frames, desk.kv.config.flex),
                             MODES[desk.scan.reconstruction])
    except LinacError:
        return None
    return hounsfield(volume, desk.protocol.physics.water_per_mm)


def exposure(frame: Frame, desk: Imaging) -> Exposure:
    """As the generator, or the dose chamber, reported it; RefusedError without a couch position."""
    if not all(v == v for v in frame.couch):
        raise RefusedError(f"frame {frame.number}: a couch readback is missing; its place is not known")
    couch = CouchPosition(*frame.couch)
    if isinstance(frame, MvFrame):
        energy_mv = desk.kv.linac.config.beam.modes[frame.mode].energy_mv
        return Exposure("MV", 1e3 * energy_mv, mu=frame.mu, gantry_deg=frame.gantry_deg, collimator_deg=frame.collimator_deg,
                        couch=couch)
    ms = desk.technique.ms
    return Exposure("kV", frame.kv, frame.mas / ms * 1e3, ms, gantry_deg=frame.gantry_deg, couch=couch)
