"""The images of a session as files: CT series, radiographs, registrations and overlays under `images/` of the run folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linac_ctl.errors import RecordError
from linac_ctl.imaging.couch_shift import planned_pose
from linac_ctl.imaging.dicom_base import Subject, uid
from linac_ctl.imaging.dicom_ct import CT_IMAGE, cbct_series
from linac_ctl.imaging.dicom_registration import Images, spatial_registration
from linac_ctl.imaging.dicom_rtimage import RT_IMAGE, Exposure, rt_image
from linac_ctl.imaging.geometry import Frames
from linac_ctl.imaging.match import Match
from linac_ctl.imaging.pictures import png
from linac_ctl.imaging.volume import Volume

from .jsonio import replace_file
from .overlay import overlays
from .overlay_views import Compared, Sought, target_picture, view_overlays

FOLDER = "images"
KEPT = {"none": 0, "few": 4, "all": 1_000_000}
TRACKED_KEPT = KEPT | {"few": 8}
Counts = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Radiograph:
    """One frame."""

    counts: Counts  # (columns, rows), v upwards
    exposure: Exposure
    uid: str = ""  # where a match names it


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One acquisition and what came of it."""

    number: int  # from 1, in the session
    kind: str  # cbct, pair, mv_kv ...; mv: what the MV imager took
    uid: str  # of the series
    acquired_s: float
    couch_angle_deg: float  # of the plan
    frames: Frames
    radiographs: tuple[Radiograph, ...]
    hu: Volume | None = None  # fixed frame; None: not a scan, or it could not be reconstructed
    match: Match | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Radiographed:
    """One acquisition that was matched by its radiographs: which views, and what they show."""

    number: int
    acquired_s: float
    uid: str  # of the first
    uids: tuple[str, ...]  # SOP instances that the match was made on
    match: Match
    views: tuple[Compared, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Triggered:
    """One radiograph that was taken while treating."""

    number: int  # from 1, in the session
    uid: str
    time_s: float
    frames: Frames
    shot: Radiograph
    seen: str
    look: Sought | None  # None: the target's outline is not known


@dataclass(frozen=True, slots=True, eq=False)
class PlanningCt:
    """What the scans are compared with. `images`: None when it is not DICOM yet, then it is written beside them."""

    hu: Volume  # fixed frame
    series_uid: str
    images: Images | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SessionImages:
    """All of a session."""

    subject: Subject
    start: datetime
    plan_uid: str
    planning: PlanningCt
    scans: tuple[Scan, ...]
    compared: tuple[Radiographed, ...] = ()
    tracked: tuple[Triggered, ...] = ()

    def at(self, machine_s: float) -> datetime:
        """Machine time as a date."""
        return self.start + timedelta(seconds=machine_s)


def write_images(run: Path, session: SessionImages, keep: str = "few") -> dict[str, str]:
    """What -> path in the run folder. `keep`: radiographs of every scan, `few`, `all` or `none`."""
    if keep not in KEPT:
        raise RecordError(f"radiographs: '{keep}'; known are {', '.join(KEPT)}")
    if not session.scans:
        return {}
    files: dict[str, str] = {}
    planning = session.planning.images or _planning(run, session, files)
    for scan in session.scans:
        _radiographs(run, session, scan, KEPT[keep], files)
        if scan.hu is not None:
            _scan(run, session, scan, scan.hu, planning, files)
    for acquired in session.compared:
        _compared(run, session, acquired, planning, files)
    _tracked(run, session, keep, files)
    return files


def _compared(run: Path, session: SessionImages, acquired: Radiographed, planning: Images, files: dict[str, str]) -> None:
    """Registration of radiographs, overlays before and after."""
    n = acquired.number
    images = Images(RT_IMAGE.uid, series_of(session, acquired.uid), acquired.uids, session.subject.study_uid)
    _, data = spatial_registration(acquired.match, session.subject, session.at(acquired.acquired_s), planning, images)
    _put(run, f"match-{n}.dcm", data, f"registration:{n}", files)
    before, after = view_overlays(acquired.views)
    _put(run, f"match-{n}-before.png", png(before), f"overlay_before:{n}", files)
    _put(run, f"match-{n}-after.png", png(after), f"overlay_after:{n}", files)


def series_of(session: SessionImages, uid_of_scan: str) -> str:
    """All radiographs of one acquisition."""
    return uid("radiographs", session.subject.study_uid, uid_of_scan)


def _tracked(run: Path, session: SessionImages, keep: str, files: dict[str, str]) -> None:
    """Some of the triggered images, evenly spread, and all that did not show the target in its place."""
    for one in shown_of(session.tracked, TRACKED_KEPT[keep]):
        _, data = rt_image(one.shot.counts, one.frames, 0, one.shot.exposure, session.subject, session.at(one.time_s), one.uid,
                           session.plan_uid, f"triggered {one.number}", one.uid, series_of(session, "triggered"))
        _put(run, f"triggered/image-{one.number:03d}.dcm", data, "", files)
        files["triggered"] = f"{FOLDER}/triggered"
        if one.look is not None:
            _put(run, f"triggered/image-{one.number:03d}.png", png(target_picture(one.look)), f"triggered:{one.number}", files)


def shown_of(tracked: tuple[Triggered, ...], most: int) -> list[Triggered]:
    """In order."""
    spread = {round(i) for i in np.linspace(0, len(tracked) - 1, min(most, len(tracked)))}
    odd = [k for k, one in enumerate(tracked) if one.seen != "inside"][:most]
    return [tracked[k] for k in sorted(spread | set(odd))]


def _planning(run: Path, session: SessionImages, files: dict[str, str]) -> Images:
    """The CT of a built-in phantom; -> how registrations name it."""
    ct = session.planning
    series = cbct_series(ct.hu, session.subject, session.start, "planning", description="Planning CT", series_uid=ct.series_uid)
    return _written(run, "planning-ct", series, session, ct.series_uid, "planning_ct", files)


def _scan(run: Path, session: SessionImages, scan: Scan, hu: Volume, planning: Images, files: dict[str, str]) -> None:
    """As acquired; and with a match: brought to the planning CT, the registration, overlays before and after."""
    when, n, planned = session.at(scan.acquired_s), scan.number, planned_pose(scan.couch_angle_deg)
    series = cbct_series(hu, session.subject, when, scan.uid, planned, description=f"CBCT {n}", series_uid=scan.uid)
    acquired = _written(run, f"cbct-{n}", series, session, scan.uid, f"cbct:{n}", files)
    if scan.match is None:
        return
    found = scan.match.pose.after(planned)
    matched = cbct_series(hu, session.subject, when, scan.uid, found, description=f"CBCT {n}, matched")
    _written(run, f"cbct-{n}-matched", matched, session, "", f"cbct_matched:{n}", files)
    _, data = spatial_registration(scan.match, session.subject, when, planning, acquired)
    _put(run, f"match-{n}.dcm", data, f"registration:{n}", files)
    before, after = overlays(session.planning.hu, hu, planned, found)
    _put(run, f"match-{n}-before.png", png(before), f"overlay_before:{n}", files)
    _put(run, f"match-{n}-after.png", png(after), f"overlay_after:{n}", files)


def _radiographs(run: Path, session: SessionImages, scan: Scan, most: int, files: dict[str, str]) -> None:
    """Evenly spread over the acquisition."""
    count = len(scan.radiographs)
    for k in sorted({round(i) for i in np.linspace(0, count - 1, min(most, count))}):
        shot = scan.radiographs[k]
        _, data = rt_image(shot.counts, scan.frames, k, shot.exposure, session.subject, session.at(scan.acquired_s),
                           f"{scan.uid} frame {k + 1}", session.plan_uid, f"{scan.kind} {scan.number}.{k + 1}", shot.uid,
                           series_of(session, scan.uid))
        made_by = shot.exposure.kind.lower()
        _put(run, f"{made_by}-{scan.number}/frame-{k + 1:03d}.dcm", data, "", files)
        files[f"{'mv_' if made_by == 'mv' else ''}radiographs:{scan.number}"] = f"{FOLDER}/{made_by}-{scan.number}"


def _written(run: Path, name: str, series: Sequence[tuple[str, bytes]], session: SessionImages, series_uid: str, what: str,
             files: dict[str, str]) -> Images:
    for k, (_, data) in enumerate(series):
        _put(run, f"{name}/slice-{k + 1:03d}.dcm", data, "", files)
    files[what] = f"{FOLDER}/{name}"
    return Images(CT_IMAGE.uid, series_uid, tuple(instance for instance, _ in series), session.subject.study_uid)


def _put(run: Path, name: str, data: Any, what: str, files: dict[str, str]) -> None:
    path = run / FOLDER / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise RecordError(f"{path.parent}: cannot be made: {e.strerror}") from None
    replace_file(path, data)
    if what:
        files[what] = f"{FOLDER}/{name}"
