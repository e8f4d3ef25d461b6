"""Slices and overlays as PNG: planning CT against CBCT in fixed windows, so that two sessions look alike.

Pictures are (height, width) or (height, width, 3) uint8, row 0 at the top. Axial: anterior up, X to the right; coronal: head up, X
to the right; sagittal: head up, Z (anterior) to the right. Axes are those of the fixed frame.
"""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from linac_ctl.errors import RefusedError

from .volume import Volume

Grey = NDArray[np.uint8]
BONE_HU = (-200.0, 800.0)
SOFT_HU = (-160.0, 240.0)
PLANES = {"axial": 1, "coronal": 2, "sagittal": 0}  # name -> axis that it cuts


def cut(volume: Volume, plane: str, at_mm: float = 0.0) -> NDArray[np.float32]:
    """(height, width) values of the nearest slice; RefusedError outside the volume."""
    if plane not in PLANES:
        raise RefusedError(f"slice: plane '{plane}'; known are {', '.join(PLANES)}")
    axis = PLANES[plane]
    low, high, h = volume.origin_mm[axis], volume.last_mm[axis], volume.spacing_mm[axis]
    if not low - h / 2 <= at_mm <= high + h / 2:
        raise RefusedError(f"slice: {plane} at {at_mm:g} mm is outside the volume ({low:g} to {high:g} mm)")
    k = min(max(round((at_mm - low) / h), 0), volume.size[axis] - 1)
    if plane == "axial":
        return volume.data[:, ::-1, k].T
    if plane == "coronal":
        return volume.data[:, k, ::-1].T
    return volume.data[k, :, ::-1].T


def windowed(values: NDArray[np.float32], window: tuple[float, float]) -> Grey:
    """0 .. 255 between the two ends of the window."""
    low, high = window
    scaled: Grey = np.rint(np.clip((values - low) / (high - low), 0.0, 1.0) * 255.0).astype(np.uint8)
    return scaled


def checkerboard(a: Grey, b: Grey, field: int = 16) -> Grey:
    """Fields of `field` pixels from `a` and `b` in turn: edges that break show an offset."""
    _same_size(a, b)
    rows, columns = np.indices(a.shape) // field
    out: Grey = np.where((rows + columns) % 2 == 0, a, b)
    return out


def red_cyan(a: Grey, b: Grey) -> Grey:
    """`a` in red, `b` in cyan: grey where they agree."""
    _same_size(a, b)
    return np.stack([a, b, b], -1)


def _same_size(a: Grey, b: Grey) -> None:
    if a.shape != b.shape:
        raise RefusedError(f"overlay: pictures of {a.shape} and {b.shape} pixels; sample both on one grid first")


def enlarged(picture: Grey, times: int) -> Grey:
    """Every pixel as a square of `times` pixels."""
    out: Grey = np.repeat(np.repeat(picture, times, 0), times, 1)
    return out


def beside(pictures: list[Grey], gap: int = 6) -> Grey:
    """In a row, aligned at the top, on black."""
    height = max(p.shape[0] for p in pictures)
    parts: list[Grey] = []
    for p in pictures:
        colour = p if p.ndim == 3 else np.repeat(p[..., None], 3, -1)
        parts += [np.pad(colour, ((0, height - p.shape[0]), (0, gap), (0, 0)))]
    return np.concatenate(parts, 1)[:, :-gap]


def titled(picture: Grey, text: str) -> Grey:
    """With a line of text above it."""
    colour = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, -1)
    strip = Image.new("RGB", (colour.shape[1], 16))
    ImageDraw.Draw(strip).text((3, 2), text, fill=(230, 230, 230))
    return np.concatenate([np.asarray(strip, np.uint8), colour])


def png(picture: Grey) -> bytes:
    """The file's bytes: a fifth larger than the smallest possible, in a twentieth of the time."""
    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(picture)).save(out, "PNG", compress_level=3)
    return out.getvalue()


def overlay_sheet(ct: Volume, before: Volume, after: Volume, window: tuple[float, float] = BONE_HU, times: int = 2) -> Grey:
    """Two rows (before, after the match), three planes through the isocentre as red-cyan and as checkerboard; HU, one grid."""
    for other in (before, after):
        if not np.allclose((*ct.origin_mm, *ct.spacing_mm), (*other.origin_mm, *other.spacing_mm)):
            raise RefusedError(f"overlay: grids from {ct.origin_mm} and {other.origin_mm} mm; sample both on one grid first")
    rows = []
    for name, other in (("before", before), ("after", after)):
        parts = []
        for plane in PLANES:
            a, b = (windowed(cut(v, plane), window) for v in (ct, other))
            parts += [titled(enlarged(red_cyan(a, b), times), f"{plane}, {name}")]
            parts += [titled(enlarged(checkerboard(a, b), times), "checkerboard")]
        rows.append(beside(parts))
    return np.concatenate([rows[0], np.zeros((6, *rows[0].shape[1:]), np.uint8), rows[1]])


def radiograph_picture(image: NDArray[np.float32], window: tuple[float, float] | None = None) -> Grey:
    """(columns, rows) line integrals as a picture, +Y up, bone bright; the window is taken from the image unless given."""
    low, high = window or (float(np.quantile(image, 0.02)), float(np.quantile(image, 0.995)))
    return windowed(image.T[::-1], (low, max(high, low + 1e-6)))
