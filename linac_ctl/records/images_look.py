"""One picture of what there is to see: a whole run, a series, one slice or one radiograph."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.errors import InvalidDicomError

from linac_ctl.errors import RecordError, UsageError
from linac_ctl.imaging.damage import readable
from linac_ctl.imaging.dicom_rtimage import RT_IMAGE
from linac_ctl.imaging.dicom_series import CT_CLASSES, Triple, read_series
from linac_ctl.imaging.pictures import PLANES, Grey, beside, enlarged, png, radiograph_picture, titled, windowed
from linac_ctl.imaging.pose import Pose

from .images import FOLDER
from .jsonio import replace_file
from .manifest import NAME as MANIFEST
from .overlay import slices

SMALLEST = 380  # pixels of a radiograph's longer side: small frames are enlarged
PENUMBRA = 4  # pixels
LIT_SHARE = 0.2  # of the brightest: darker pixels of an MV image are behind jaws or leaves
Window = tuple[float, float]


def look(what: Path, window: Window, at_mm: Triple = (0.0, 0.0, 0.0)) -> Grey:
    """RecordError when there is nothing to see; UsageError for a window that shows nothing."""
    if not window[0] < window[1]:
        raise UsageError(f"--window {window[0]:g} {window[1]:g}: black must be below white")
    if what.is_dir():
        return of_run(what, window, at_mm) if (what / MANIFEST).exists() else of_series(what, window, at_mm)
    return of_file(what, window)


def of_run(run: Path, window: Window, at_mm: Triple) -> Grey:
    """Planning CT, then each scan with its first radiograph, one below the other."""
    folder = run / FOLDER
    scans = sorted(p for p in folder.glob("cbct-*") if p.is_dir() and not p.name.endswith("-matched"))
    planning = [folder / "planning-ct"] if (folder / "planning-ct").is_dir() else []
    centre = read_series(scans[0]).centre_mm if scans else None  # one isocentre for all of them
    rows = []
    for path in [*planning, *scans]:
        shots = sorted((folder / f"kv-{path.name.removeprefix('cbct-')}").glob("*.dcm"))
        rows.append(beside([of_series(path, window, at_mm, centre), *(of_file(shot, window) for shot in shots[:1])]))
    for path in sorted([*folder.glob("kv-*"), *folder.glob("mv-*")], key=lambda path: (number_of(path), path.name)):
        if not (folder / f"cbct-{number_of(path)}").is_dir():  # radiographs that are no scan
            rows.append(beside([of_file(shot, window) for shot in sorted(path.glob("*.dcm"))[:4]]))
            if path.name.startswith("kv") and (match := folder / f"match-{number_of(path)}-after.png").exists():
                rows.append(picture_file(match))
    rows += [beside(row) for row in in_rows([picture_file(p) for p in sorted((folder / "triggered").glob("*.png"))], 4)]
    if not rows:
        raise RecordError(f"{run}: this run kept no images; a session with a patient and a protocol does, such as spine_igrt")
    return stacked(rows)


def number_of(folder: Path) -> int:
    """Of an acquisition, in the session."""
    return int(folder.name.rpartition("-")[2])


def in_rows(pictures: list[Grey], most: int) -> list[list[Grey]]:
    """So many beside each other."""
    return [pictures[k : k + most] for k in range(0, len(pictures), most)]


def picture_file(path: Path) -> Grey:
    """A PNG of a run; RecordError when it is damaged."""
    try:
        return np.asarray(Image.open(path).convert("RGB"), np.uint8)
    except OSError as error:
        raise RecordError(f"{path}: cannot be read as a picture: {error}") from None


def of_series(folder: Path, window: Window, at_mm: Triple, centre_mm: Triple | None = None) -> Grey:
    """Three planes about a place in DICOM coordinates, the middle of the series unless given."""
    series = read_series(folder)
    place = series.place(centre_mm or series.centre_mm)
    seen = slices(series.hu, place.after(Pose(at_mm)))
    return beside([titled(windowed(seen[name], window), f"{folder.name}: {name}") for name in PLANES])


def of_file(path: Path, window: Window) -> Grey:
    """A CT slice, or a radiograph."""
    with readable(path):
        try:
            ds = pydicom.dcmread(path)
        except (InvalidDicomError, OSError) as error:
            why = getattr(error, "strerror", None) or error  # without the name once more
            raise RecordError(f"{path}: cannot be read as a DICOM image: {why}") from None
        kind = str(ds.get("SOPClassUID", ""))
        if kind == RT_IMAGE.uid:
            return _radiograph(ds)
        if kind in CT_CLASSES:
            return _slice(ds, window)
    raise RecordError(f"{path}: {ds.get('Modality', 'unknown kind')}: no picture in it; CT slices and RT Images can be shown")


def _radiograph(ds: Any) -> Grey:
    counts = np.asarray(ds.pixel_array, np.float32)[::-1].T
    integrals = np.log(np.float32(counts.max() + 1) / np.maximum(counts, np.float32(0.5)))
    if "PORTAL" in ds.get("ImageType", []):
        integrals = inside_field(counts, integrals)
    picture = _large_enough(radiograph_picture(integrals))
    return titled(picture, f"{ds.get('RTImageLabel', '')}: source at {float(ds.get('GantryAngle') or 0):.1f} deg")


def inside_field(counts: NDArray[np.float32], integrals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Line integrals of an MV image with what jaws and leaves cover left black: otherwise nothing of the patient would be seen."""
    lit = counts > LIT_SHARE * np.quantile(counts, 0.99)
    core = lit & np.all([np.roll(lit, step, axis) for axis in (0, 1) for step in (-PENUMBRA, PENUMBRA)], axis=0)
    low, high = np.quantile(integrals[core], (0.02, 0.995)) if core.any() else (0.0, 1.0)
    return np.where(lit, np.clip(integrals, low, high), np.float32(low)).astype(np.float32)


def _slice(ds: Any, window: Window) -> Grey:
    hu = np.asarray(ds.pixel_array, np.float32) * float(ds.get("RescaleSlope", 1)) + float(ds.get("RescaleIntercept", 0))
    place = ", ".join(f"{float(v):.1f}" for v in ds.get("ImagePositionPatient", []))
    return titled(_large_enough(windowed(hu.astype(np.float32), window)), f"slice at {place} mm")


def _large_enough(picture: NDArray[np.uint8]) -> Grey:
    return enlarged(picture, max(1, -(-SMALLEST // max(picture.shape))))


def stacked(rows: list[Grey]) -> Grey:
    """Below each other, on black."""
    width = max(r.shape[1] for r in rows)
    return np.concatenate([np.pad(r, ((0, 6), (0, width - r.shape[1]), (0, 0))) for r in rows])[:-6]


def save(picture: Grey, path: Path) -> None:
    """As PNG."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(f"{path.parent}: cannot be made: {error.strerror}") from None
    replace_file(path, png(picture))
