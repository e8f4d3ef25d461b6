"""Pictures of a session that no DICOM file holds: triggered images with what was found, radiographs on those of the plan."""

import numpy as np

from .errors import LinacError
from .imaging.couch_shift import planned_pose
from .imaging.pictures import png
from .imaging.register_single import magnified
from .imaging.volume import checked, pyramid
from .records.folder import RunFolder
from .records.images import FOLDER
from .records.jsonio import replace_file
from .records.overlay_pair import pair_overlays
from .records.tracked_sheet import Shown, sheet
from .sequencer.images import ImageSet, Imaging, attenuation, frames_of, integrals
from .sequencer.tracked import Tracked
from .subsystems.kv_frames import KvFrame

VOXEL_MM = 2.0


def write_pictures(desk: Imaging, folder: RunFolder) -> dict[str, str]:
    """What -> path in the run folder; a picture that cannot be made is left out."""
    return write_tracked(desk, folder) | write_pairs(desk, folder)


def write_tracked(desk: Imaging, folder: RunFolder) -> dict[str, str]:
    """One sheet of the images that were taken during beams, one of a few frames of fluoroscopy."""
    files = {}
    for what, chosen in (("triggered", [t for t in desk.tracked if t.trigger != "fluoroscopy"]),
                         ("fluoroscopy", [t for t in desk.tracked if t.trigger == "fluoroscopy"])):
        if chosen:
            files[what] = _put(folder, f"{what}.png", png(sheet([shown(desk, t) for t in chosen])))
    return files


def shown(desk: Imaging, tracked: Tracked) -> Shown:
    """As the sheet needs it."""
    frame = tracked.frame
    view = frames_of((frame,), desk.kv.config.flex).view(0)
    place = planned_pose(tracked.couch_angle_deg).apply(np.array(desk.planning.target_mm))
    u, v = view.project(place)
    what = f"beam {tracked.beam}, {tracked.mu:.0f} MU" if tracked.beam >= 0 else f"{frame.time_s:.1f} s"
    title = f"{what}, {frame.gantry_deg:.0f} deg: {tracked.seen}"
    per_mm = magnified(view, place) / view.pitch_mm
    return Shown(integrals((frame,))[0], (float(u), float(v)), per_mm, tracked.off_mm, tracked.seen, title)


def write_pairs(desk: Imaging, folder: RunFolder) -> dict[str, str]:
    """Before and after of every match that was made from radiographs."""
    files: dict[str, str] = {}
    for number, images in enumerate(desk.images, 1):
        match = next((m for m in desk.matches if m.binding.image_uids == images.uids), None)
        if images.kind == "cbct" or match is None:
            continue
        try:
            before, after = overlays_of(desk, images)
        except LinacError:
            continue
        files[f"overlay_before:{number}"] = _put(folder, f"match-{number}-before.png", png(before))
        files[f"overlay_after:{number}"] = _put(folder, f"match-{number}-after.png", png(after))
    return files


def overlays_of(desk: Imaging, images: ImageSet) -> tuple[np.ndarray, np.ndarray]:
    """(before, after)."""
    match = next(m for m in desk.matches if m.binding.image_uids == images.uids)
    physics, planned = desk.protocol.physics, planned_pose(images.couch_angle_deg)
    levels = pyramid(checked(attenuation(desk.planning.hu, physics.water_per_mm, physics.bone_factor), "planning CT"), VOXEL_MM)
    ct = min(levels, key=lambda level: abs(level.spacing_mm[0] - VOXEL_MM))
    seen, views, names = [], [], []
    for frame in images.frames:
        flex = desk.kv.config.flex if isinstance(frame, KvFrame) else desk.mv.config.flex
        views.append(frames_of((frame,), flex).view(0))
        seen.append(integrals((frame,))[0])
        names.append(f"{'kV' if isinstance(frame, KvFrame) else 'MV'}, source at {frame.source_angle_deg:.0f} deg")
    return pair_overlays(ct, seen, views, names, planned, match.pose.after(planned))


def _put(folder: RunFolder, name: str, data: bytes) -> str:
    (folder.path / FOLDER).mkdir(parents=True, exist_ok=True)
    replace_file(folder.path / FOLDER / name, data)
    return f"{FOLDER}/{name}"
