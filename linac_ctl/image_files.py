"""From the imaging desk of a finished session to its image files: composition, loaded only by sessions that imaged."""

from datetime import datetime

import numpy as np

from .config.machine import KvFlexConfig
from .errors import LinacError, RefusedError
from .imaging.couch import CouchPosition
from .imaging.couch_shift import planned_pose
from .imaging.dicom_base import Subject, uid
from .imaging.dicom_ct import CT_IMAGE, hounsfield
from .imaging.dicom_registration import Images
from .imaging.dicom_rtimage import Exposure
from .imaging.drr import drr
from .imaging.fdk import MODES, reconstruct
from .imaging.geometry import Panel
from .imaging.match import Match
from .imaging.scatter import with_scatter
from .imaging.volume import Volume
from .plan.model import Plan
from .records.folder import RunFolder
from .records.images import PlanningCt, Radiograph, Radiographed, Scan, SessionImages, Triggered, write_images
from .records.manifest import Manifest
from .records.overlay_views import Compared, Sought
from .records.silhouette import planned_points
from .records.target import TargetOutline
from .sequencer.frame_numbers import attenuation, frames_of, integrals, scatter_of
from .sequencer.images import ImageSet, Imaging, PlanningImages
from .sequencer.tracked import Tracked
from .subsystems.kv_frames import KvFrame
from .subsystems.mv_frames import Frame, MvFrame


def write_session_images(desk: Imaging, plan: Plan, folder: RunFolder, keep: str,
                         outline: TargetOutline | None = None) -> dict[str, str]:
    """What -> path in the run folder; nothing for a session that ended before its first frame. `outline`: of the target."""
    if not desk.images:
        return {}
    return write_images(folder.path, session_images(desk, plan, folder.manifest, outline), keep)


def session_images(desk: Imaging, plan: Plan, manifest: Manifest, outline: TargetOutline | None = None) -> SessionImages:
    """Everything that was taken, in order; volumes are made once more from the frames, which gives the same bits."""
    subject = subject_of(desk, plan, manifest)
    found = [scan for number, images in enumerate(desk.images, 1) for scan in scans_of(desk, number, images)]
    planning = PlanningCt(desk.planning.hu, desk.planning.series_uid, planning_files(desk.planning, subject))
    return SessionImages(subject, datetime.fromisoformat(manifest.started), plan.sop_instance_uid, planning,
                         tuple(found), radiographed(desk), tuple(triggered(desk, k, t, outline) for k, t in known(desk)))


def subject_of(desk: Imaging, plan: Plan, manifest: Manifest) -> Subject:
    """Patient and machine; the study is that of this session."""
    planning = desk.planning
    frame = planning.frame_of_reference_uid or plan.frame_of_reference_uid or uid("frame", plan.sop_instance_uid)
    return Subject(plan.patient_id, plan.patient_name, uid("imaging study", plan.sop_instance_uid, *desk.images[0].uids), frame,
                   plan.beams[0].isocentre_mm or (0.0, 0.0, 0.0), planning.patient_position, manifest.machine,
                   manifest.code_version)


def radiographed(desk: Imaging) -> tuple[Radiographed, ...]:
    """Acquisitions that were matched as radiographs, with the plan as these very views would show it."""
    found = []
    for number, images in enumerate(desk.images, 1):
        match = next((m for m in desk.matches if m.binding.image_uids == images.uids), None)
        if match is not None and images.kind != "cbct":
            frames = images.frames[1::2] if images.kind == "port" else images.frames
            views = tuple(compared(desk, frame, match, images.couch_angle_deg) for frame in frames)
            found.append(Radiographed(number, images.acquired_s, images.uids[0], images.uids, match, views))
    return tuple(found)


def compared(desk: Imaging, frame: Frame, match: Match, couch_angle_deg: float) -> Compared:
    """One view: as taken, as planned, as found."""
    physics = desk.mv_rules.physics if isinstance(frame, MvFrame) else desk.protocol.physics
    shot, planned = desk.radiograph(frame), planned_pose(couch_angle_deg)
    volume = attenuation(desk.planning.hu, physics.water_per_mm, physics.bone_factor)
    view = shot.view
    panel = Panel(view.columns, view.rows, view.pitch_mm, float(np.linalg.norm(view.dv_mm)))
    plans = (with_scatter(drr(volume, view, pose)[None], panel, scatter_of(physics))[0]
             for pose in (planned, match.pose.after(planned)))
    return Compared("MV" if isinstance(frame, MvFrame) else "kV", frame.source_angle_deg, view.pitch_mm, shot.image, *plans)


def known(desk: Imaging) -> list[tuple[int, Tracked]]:
    """Triggered images (not fluoroscopy) whose place is known, numbered from 1."""
    shots = [t for t in desk.tracked if t.trigger != "fluoroscopy"]
    return [(k, t) for k, t in enumerate(shots, 1) if all(v == v for v in t.frame.couch)]


def triggered(desk: Imaging, number: int, tracked: Tracked, outline: TargetOutline | None) -> Triggered:
    """With its outlines where the target is known."""
    frame = tracked.frame
    frames, shot = frames_of((frame,), desk.kv.config.flex), Radiograph(frame.pixels.T, exposure(frame, desk), tracked.uid)
    look = None if outline is None else sought(desk, number, tracked, outline)
    return Triggered(number, tracked.uid, frame.time_s, frames, shot, tracked.seen, look)


def sought(desk: Imaging, number: int, tracked: Tracked, outline: TargetOutline) -> Sought:
    """For the picture."""
    found = ", ".join(f"{v:+.1f}" for v in tracked.off_mm) + " mm" if tracked.off_mm[0] == tracked.off_mm[0] else tracked.seen
    points = planned_points(outline, tracked.couch_angle_deg)
    centre = planned_pose(tracked.couch_angle_deg).apply(np.array(desk.planning.target_mm))
    title = f"{number}: beam {tracked.beam}, {tracked.mu:.0f} MU: {found}"
    shot = desk.radiograph(tracked.frame)
    return Sought(title, shot.image, shot.view, points, centre, tracked.off_mm, tracked.seen)


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
