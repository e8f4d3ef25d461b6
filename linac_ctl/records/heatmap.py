"""Leaf pictures: error of every leaf over time or MU as colours, and RMS of every leaf as bars."""

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .charts import BOTTOM, ERROR, FAINT, FRAME, INK, LEFT, RIGHT, SEEN, TOP, Canvas, Scale, span, tick_text, ticks

COLUMNS = 480  # colour columns at most
LEVELS = 20  # shades on each side of zero: few, so that the picture stays small
NEAR = 1  # columns without a row are filled from this far, else they are grey
STOPS = (
    (-1.0, (33, 90, 160)),
    (-0.35, (150, 190, 225)),
    (0.0, (250, 250, 250)),
    (0.35, (240, 170, 140)),
    (1.0, (170, 25, 30)),
)
GREY = (205, 208, 212)  # no beam, or no reading
KEY_WIDTH = 70


def worst_in_columns(values: NDArray[Any], x: NDArray[Any], columns: int) -> NDArray[np.float64]:
    """(n, leaves) over x -> (leaves, columns): the signed value furthest from zero; NaN where there is no row."""
    width = float(x[-1] - x[0]) or 1.0
    column = np.minimum(((x - x[0]) / width * columns).astype(int), columns - 1)
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    low, high = np.minimum.reduceat(values, starts, axis=0), np.maximum.reduceat(values, starts, axis=0)
    worst = np.where(-low > high, low, high)
    every = np.arange(columns)
    place = np.searchsorted(column[starts], every, side="right") - 1
    picture = np.asarray(worst[place].T, np.float64)
    picture[:, every - column[starts][place] > NEAR] = np.nan
    return picture


def colours(values: NDArray[np.float64], limit: float) -> NDArray[np.uint8]:
    """(h, w) -> (h, w, 3): blue below zero, red above, grey where there is no number."""
    at = np.rint(np.clip(values / limit, -1, 1) * LEVELS) / LEVELS
    places = [stop for stop, _ in STOPS]
    bands = [np.interp(at, places, [color[i] for _, color in STOPS]) for i in range(3)]
    picture = np.stack(bands, axis=-1)
    picture[~np.isfinite(values)] = GREY
    return np.asarray(np.round(picture), np.uint8)


def png_uri(picture: NDArray[np.uint8]) -> str:
    """(h, w, 3) as a data URI."""
    out = io.BytesIO()
    Image.fromarray(picture).quantize(2 * LEVELS + 2, method=Image.Quantize.FASTOCTREE).save(out, "png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def leaf_map(
    title: str, x_label: str, x: NDArray[Any], errors: NDArray[Any], names: tuple[str, ...], width: int = 1000
) -> str:
    """SVG: one line per leaf, colour = readback - setpoint in mm."""
    height = 2 * len(names) + TOP + BOTTOM
    canvas = Canvas(width, height)
    right = width - RIGHT - KEY_WIDTH
    finite = np.abs(errors[np.isfinite(errors)])
    limit = float(np.ceil(max(finite.max() if len(finite) else 0.0, 0.01) * 100) / 100)
    columns = max(1, min(COLUMNS, len(x)))
    picture = colours(worst_in_columns(errors, x, columns), limit)
    canvas.text(8, 15, title, size=13, more=' font-weight="600"')
    canvas.add(
        f'<image x="{LEFT}" y="{TOP}" width="{right - LEFT}" height="{2 * len(names)}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="{png_uri(picture)}"/>'
    )
    canvas.add(
        f'<rect x="{LEFT}" y="{TOP}" width="{right - LEFT}" height="{2 * len(names)}" fill="none" stroke="{FRAME}"/>'
    )
    _leaf_names(canvas, names)
    _map_x_axis(canvas, Scale(*span(np.asarray(x, np.float64), 1e-6, 0.0), LEFT, right), TOP + 2 * len(names), x_label)
    _key(canvas, right + 16, limit, 2 * len(names))
    return canvas.svg(title)


def _labelled(i: int, names: tuple[str, ...]) -> bool:
    """The first leaf of each bank and every tenth, but not two names on one spot."""
    before_bank_b = i + 1 < len(names) and names[i + 1] == "B1"
    return not before_bank_b and (names[i][1:] == "1" or int(names[i][1:]) % 10 == 0)


def _leaf_names(canvas: Canvas, names: tuple[str, ...]) -> None:
    for i, name in enumerate(names):
        if _labelled(i, names):
            canvas.text(LEFT - 5, TOP + 2 * i + 5, name, anchor="end", size=10)


def _map_x_axis(canvas: Canvas, x: Scale, bottom: float, label: str) -> None:
    marks = ticks(x.low, x.high, int((x.at_high - x.at_low) // 70))
    for mark in marks:
        canvas.add(f'<path d="M{x(mark):.1f} {bottom}v4" stroke="{INK}"/>')
        canvas.text(
            x(mark),
            bottom + 15,
            tick_text(mark, marks[1] - marks[0] if len(marks) > 1 else 1.0),
            anchor="middle",
            size=10,
        )
    canvas.text((x.at_low + x.at_high) / 2, bottom + 30, label, anchor="middle")


def _key(canvas: Canvas, left: float, limit: float, height: float) -> None:
    ramp = colours(np.linspace(limit, -limit, 101)[:, None], limit)
    canvas.add(
        f'<image x="{left}" y="{TOP}" width="12" height="{height}" preserveAspectRatio="none" href="{png_uri(ramp)}"/>'
    )
    for share in (1.0, 0.5, 0.0, -0.5, -1.0):
        canvas.text(
            left + 16, TOP + (1 - share) / 2 * height + 4, f"{share * limit:+.3g}" if share else "0 mm", size=10
        )


def leaf_bars(
    title: str, rms_mm: NDArray[Any], worst_mm: NDArray[Any], names: tuple[str, ...], width: int = 1000
) -> str:
    """SVG: RMS (bar) and worst (mark) of every leaf, bank A then bank B."""
    inner = 120
    canvas = Canvas(width, TOP + inner + BOTTOM)
    high = max(float(np.nanmax(worst_mm, initial=0.0)) * 1.05, 1e-3)
    y = Scale(0.0, high, TOP + inner, TOP)
    step = (width - LEFT - RIGHT) / max(len(names), 1)
    canvas.text(8, 15, title, size=13, more=' font-weight="600"')
    marks = ticks(0.0, high, 4)
    for mark in marks:
        canvas.add(f'<path d="M{LEFT} {y(mark):.1f}H{width - RIGHT}" stroke="{FAINT}"/>')
        canvas.text(LEFT - 5, y(mark) + 4, tick_text(mark, marks[1]), anchor="end", size=10)
    for i, name in enumerate(names):
        _bar(canvas, LEFT + i * step, step, float(rms_mm[i]), float(worst_mm[i]), y)
        if _labelled(i, names):
            canvas.text(LEFT + (i + 0.5) * step, TOP + inner + 14, name, anchor="middle", size=10)
    canvas.text(12, TOP + inner / 2, "mm", anchor="middle", more=f' transform="rotate(-90 12 {TOP + inner / 2})"')
    canvas.text(width - RIGHT, 26, "bar: RMS   mark: worst", anchor="end", size=10)
    return canvas.svg(title)


def _bar(canvas: Canvas, left: float, step: float, rms: float, worst: float, y: Scale) -> None:
    if np.isnan(worst):
        return
    canvas.add(
        f'<rect x="{left + 0.5:.1f}" y="{y(rms):.1f}" width="{step - 1:.1f}" height="{y.at_low - y(rms):.1f}" '
        f'fill="{SEEN}"/>'
    )
    canvas.add(f'<path d="M{left + 0.5:.1f} {y(worst):.1f}h{step - 1:.1f}" stroke="{ERROR}" stroke-width="1.5"/>')
