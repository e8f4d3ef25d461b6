"""Triggered images as one sheet: where the target ought to be, where it was found, and what the protocol said to that."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from linac_ctl.imaging.pictures import Grey, beside, radiograph_picture, titled
from linac_ctl.imaging.smooth import running_mean

MOST, ROW = 12, 4  # pictures on a sheet, in a row
WIDE, HALF_MM = 232, 60.0  # pixels a side; what is shown around the target, at the isocentre
EXPECTED, INSIDE, OUTSIDE = (255, 214, 0), (0, 224, 160), (255, 80, 64)
SOFT, SLOW_MM = 0.8, 12.0  # share of what changes slowly that is taken out; half width at the target
ARM = 14  # pixels of a cross


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One image: line integrals (columns, rows), pixel of the expected place, pixels per mm at the target."""

    image: NDArray[np.float32]
    expected_px: tuple[float, float]
    px_per_mm: float
    off_mm: tuple[float, float]  # NaN = not found
    seen: str
    title: str


def sheet(shown: Sequence[Shown]) -> Grey:
    """At most `MOST` of them in order of time: half of the room is for those that are not inside, the rest evenly spread."""
    chosen = [shown[k] for k in picked(shown)]
    pictures = [titled(picture(one), one.title) for one in chosen]
    rows = [beside(pictures[k : k + ROW]) for k in range(0, len(pictures), ROW)]
    wide = max(row.shape[1] for row in rows)
    return np.concatenate([np.pad(row, ((0, 6), (0, wide - row.shape[1]), (0, 0))) for row in rows])


def picked(shown: Sequence[Shown]) -> list[int]:
    """Indices."""
    outside = [k for k, one in enumerate(shown) if one.seen != "inside"]
    telling = outside[: MOST // 2 - 1] + outside[-1:] if len(outside) > MOST // 2 else outside
    rest = [k for k, one in enumerate(shown) if one.seen == "inside"]
    room = MOST - len(telling)
    spread = {rest[round(i)] for i in np.linspace(0, len(rest) - 1, min(room, len(rest)))} if rest and room else set()
    return sorted({*telling, *spread})


def picture(one: Shown) -> Grey:
    """(WIDE, WIDE, 3): the part around the target, crosses for expected (yellow) and found (green; red when out)."""
    half = HALF_MM * one.px_per_mm
    u, v = one.expected_px
    low = [int(max(0, round(c - half))) for c in (u, v)]
    high = [int(min(n, round(c + half))) for c, n in zip((u, v), one.image.shape)]
    part = one.image[low[0] : high[0], low[1] : high[1]]
    if not part.size:
        return np.zeros((WIDE, WIDE, 3), np.uint8)
    times = WIDE / max(part.shape)
    size = (round(part.shape[0] * times), round(part.shape[1] * times))
    bones = Image.fromarray(radiograph_picture(part - SOFT * slow(part, one.px_per_mm)))
    drawn = bones.resize(size, Image.Resampling.BICUBIC).convert("RGB")
    place = np.array([(u - low[0] + 0.5) * times, size[1] - (v - low[1] + 0.5) * times])
    cross(drawn, place, EXPECTED)
    if one.off_mm[0] == one.off_mm[0]:
        step = one.px_per_mm * times
        found = place + np.array([one.off_mm[0] * step, -one.off_mm[1] * step])
        cross(drawn, found, INSIDE if one.seen == "inside" else OUTSIDE, 45.0)
    out = np.zeros((WIDE, WIDE, 3), np.uint8)
    out[: size[1], : size[0]] = np.asarray(drawn, np.uint8)[:WIDE, :WIDE]
    return out


def slow(part: NDArray[np.float32], px_per_mm: float) -> NDArray[np.float32]:
    """What changes over some centimetres: soft tissue, which would hide the bones."""
    half = max(1, round(SLOW_MM * px_per_mm))
    smooth: NDArray[np.float32] = running_mean(np.ascontiguousarray(part[None]), half, half, 2)[0]
    return smooth


def cross(drawn: Image.Image, at: NDArray[np.float64], color: tuple[int, int, int], turn_deg: float = 0.0) -> None:
    """Open in the middle, so that what it marks stays visible."""
    pen = ImageDraw.Draw(drawn)
    for k in range(4):
        angle = np.radians(turn_deg + 90.0 * k)
        way = np.array([np.cos(angle), np.sin(angle)])
        pen.line([*(at + 4 * way), *(at + ARM * way)], fill=color, width=1)
