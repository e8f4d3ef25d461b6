"""Radiographs against the plan: red and cyan, checkerboard, and where the target was looked for and found. Fixed windows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from linac_ctl.imaging.geometry import View
from linac_ctl.imaging.pictures import Grey, beside, checkerboard, red_cyan, titled, windowed
from linac_ctl.imaging.smooth import without_slow_parts

from .silhouette import hull

Floats = NDArray[np.float64]
Pixels = NDArray[np.float32]
WINDOWS = {"kV": (-0.25, 0.35), "MV": (-0.05, 0.07)}  # black and white: line integrals without their slow parts, so bones show
SLOW_MM = 25.0  # half width of what is taken away, at the panel
HIGH_PX, FIELD = 260, 26  # pixels that a radiograph is high; a side of the checkerboard's fields
HALF_MM, TARGET_PX = 55.0, 240  # a triggered image shows so much about the target, on so many pixels
EXPECTED = (255, 200, 60)
FOUND = {"inside": (70, 230, 130), "outside": (255, 80, 70)}


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """One view, (columns, rows) line integrals: taken, of the plan as it should lie, of the plan as the match says it lies."""

    kind: str  # kV or MV
    source_deg: float
    pitch_mm: float
    seen: Pixels
    planned: Pixels
    found: Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Sought:
    """One triggered image. `target_mm` (n, 3): outline as planned, fixed frame; `centre_mm` (3,) of it."""

    title: str
    image: Pixels  # (columns, rows) line integrals
    view: View
    target_mm: Floats
    centre_mm: Floats
    off_mm: tuple[float, float]  # NaN: not found
    seen: str


def view_overlays(views: tuple[Compared, ...]) -> tuple[Grey, Grey]:
    """(before, after): upper row plan red and radiograph cyan, lower row in turn."""
    return _sheet(views, "planned"), _sheet(views, "found")


def _sheet(views: tuple[Compared, ...], which: str) -> Grey:
    rows: list[list[Grey]] = [[], []]
    for view in views:
        found, plan, seen = (bones(image, view.pitch_mm) for image in (view.found, getattr(view, which), view.seen))
        seen = seen / np.float32(gain(found, seen))
        a, b = (as_high(shown(image, WINDOWS[view.kind])) for image in (plan, seen))
        name = f"{view.kind}, source {view.source_deg % 360:.0f} deg"
        rows[0].append(titled(red_cyan(a, b), f"{name}: plan red, image cyan"))
        rows[1].append(titled(checkerboard(a, b, FIELD), f"{name}: in turn"))
    return np.concatenate([beside(row) for row in rows])


def bones(image: Pixels, pitch_mm: float) -> Pixels:
    """What changes over short ways: scatter and the trunk's roundness are gone."""
    out: Pixels = without_slow_parts(image[None].astype(np.float32), max(1, round(SLOW_MM / pitch_mm)))[0]
    return out


def gain(plan: Pixels, seen: Pixels) -> float:
    """Contrast of the image over that of the plan; 1 where that says nothing."""
    a, b = plan.ravel().astype(float), seen.ravel().astype(float)
    found = float(a @ b) / size if (size := float(a @ a)) > 0.0 else 1.0
    return found if 0.2 <= found <= 5.0 else 1.0


def shown(image: Pixels, window: tuple[float, float]) -> Grey:
    """+Y up, bone bright."""
    return windowed(image.T[::-1], window)


def as_high(picture: Grey) -> Grey:
    """All radiographs as high as each other."""
    rows, columns = picture.shape
    size = (round(columns * HIGH_PX / rows), HIGH_PX)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC), np.uint8)


def target_picture(look: Sought) -> Grey:
    """The part about the target: yellow where it was expected, green or red where it was found."""
    middle = look.view.project(look.centre_mm[None])[0]
    scale = magnification(look.view, look.centre_mm)
    half = HALF_MM * scale / look.view.pitch_mm
    box = (middle[0] - half, look.view.rows - 1 - middle[1] - half, middle[0] + half, look.view.rows - 1 - middle[1] + half)
    whole = Image.fromarray(shown(bones(look.image, look.view.pitch_mm), WINDOWS["kV"])).convert("RGB")
    corners = tuple(v + 0.5 for v in box)  # a pixel's middle lies half a pixel from its edge
    part = whole.transform((TARGET_PX, TARGET_PX), Image.Transform.EXTENT, corners, Image.Resampling.BICUBIC)
    draw, expected = ImageDraw.Draw(part), hull(look.view.project(look.target_mm))
    _outline(draw, expected, look.view, box, EXPECTED)
    if look.off_mm[0] == look.off_mm[0]:
        shift = np.array(look.off_mm) * scale / look.view.pitch_mm
        _outline(draw, expected + shift, look.view, box, FOUND.get(look.seen, FOUND["inside"]))
    return titled(np.asarray(part, np.uint8), look.title)


def _outline(draw: ImageDraw.ImageDraw, pixels: Floats, view: View, box: tuple[float, ...], colour: tuple[int, int, int]) -> None:
    """Closed; `pixels` (n, 2) column and row, rows upwards."""
    size = box[2] - box[0]
    at = [((u - box[0]) / size * TARGET_PX, (view.rows - 1 - v - box[1]) / size * TARGET_PX) for u, v in pixels]
    draw.line([*at, at[0]], fill=colour, width=1)


def magnification(view: View, point_mm: Floats) -> float:
    """mm at the panel for one mm at this point, across the view."""
    normal = np.cross(view.du_mm, view.dv_mm)
    return float(((view.corner_mm - view.source_mm) @ normal) / ((point_mm - view.source_mm) @ normal))
