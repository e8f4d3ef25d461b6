"""Beam's-eye view: leaves and jaws as seen from the source, planned outline and where they really were."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .charts import ASKED, FAINT, FRAME, SEEN, TARGET, Canvas, Scale, tick_text, ticks

SIZE, EDGE = 236, 30  # px of the picture, px left and below for numbers


@dataclass(frozen=True, slots=True, eq=False)
class Aperture:
    """One moment. Leaves: (2 p,) mm, bank A then B; jaws X1 X2 Y1 Y2 mm (NaN = not there)."""

    caption: str
    asked_mm: NDArray[Any]
    seen_mm: NDArray[Any]
    jaws_mm: NDArray[Any]
    boundaries_mm: NDArray[Any]
    planned_mm: NDArray[Any] | None = None  # (n, 2) outline of the target as planned; None = not known
    true_mm: NDArray[Any] | None = None  # (n, 2) where it really was
    note: str = ""


def view(aperture: Aperture, half_mm: float) -> str:
    """SVG of one aperture; the picture shows +/- half_mm."""
    canvas = Canvas(SIZE + EDGE + 6, SIZE + EDGE + 22)
    x, y = Scale(-half_mm, half_mm, EDGE, EDGE + SIZE), Scale(-half_mm, half_mm, SIZE + 20, 20)
    canvas.text(EDGE, 13, aperture.caption, size=11, more=' font-weight="600"')
    canvas.add(f'<rect x="{EDGE}" y="20" width="{SIZE}" height="{SIZE}" fill="#eef1f4"/>')
    _leaves(canvas, aperture, x, y, half_mm)
    _jaws(canvas, aperture.jaws_mm, x, y, half_mm)
    _target(canvas, aperture, x, y)
    _grid(canvas, x, y)
    canvas.text(EDGE + 5, SIZE + 13, aperture.note, size=10, color=TARGET)
    return canvas.svg(aperture.caption)


def _leaves(canvas: Canvas, a: Aperture, x: Scale, y: Scale, half: float) -> None:
    """Grey leaves at their setpoints, blue tips where they were."""
    pairs = len(a.boundaries_mm) - 1
    tips, body = [], []
    for i in range(pairs):
        low, high = (float(np.clip(b, -half, half)) for b in a.boundaries_mm[i : i + 2])
        if high <= low:
            continue
        left, right = (float(np.clip(v, -half, half)) for v in (a.asked_mm[pairs + i], a.asked_mm[i]))
        body.append(f"M{x.at_low} {y(high):.1f}H{x(left):.1f}V{y(low):.1f}H{x.at_low}z")
        body.append(f"M{x.at_high} {y(high):.1f}H{x(right):.1f}V{y(low):.1f}H{x.at_high}z")
        tips += [
            f"M{x(np.clip(v, -half, half)):.1f} {y(high):.1f}V{y(low):.1f}"
            for v in (a.seen_mm[pairs + i], a.seen_mm[i])
            if np.isfinite(v)
        ]
    canvas.add(f'<path d="{"".join(body)}" fill="#aab4be" stroke="#fff" stroke-width="0.4"/>')
    canvas.add(f'<path d="{"".join(tips)}" stroke="{SEEN}" stroke-width="1.6"/>')


def _jaws(canvas: Canvas, jaws: NDArray[Any], x: Scale, y: Scale, half: float) -> None:
    """The opening that the jaws leave, dashed."""
    x1, x2, y1, y2 = (
        float(np.clip(v if np.isfinite(v) else side, -half, half))
        for v, side in zip(jaws, (-half, half, -half, half), strict=True)
    )
    canvas.add(
        f'<rect x="{x(x1):.1f}" y="{y(y2):.1f}" '
        f'width="{max(x(x2) - x(x1), 0):.1f}" height="{max(y(y1) - y(y2), 0):.1f}" '
        f'fill="none" stroke="{ASKED}" stroke-width="1.5" stroke-dasharray="5 3"/>'
    )


def _target(canvas: Canvas, a: Aperture, x: Scale, y: Scale) -> None:
    """Dashed as planned, filled where it really was."""
    if a.planned_mm is None or a.true_mm is None:
        return
    planned, true = (" ".join(f"{x(px):.1f},{y(py):.1f}" for px, py in points) for points in (a.planned_mm, a.true_mm))
    canvas.add(f'<polygon points="{true}" fill="{TARGET}" fill-opacity="0.16" stroke="{TARGET}" stroke-width="1.4"/>')
    canvas.add(f'<polygon points="{planned}" fill="none" stroke="#000" stroke-width="1" stroke-dasharray="3 2.5"/>')


def _grid(canvas: Canvas, x: Scale, y: Scale) -> None:
    marks = ticks(x.low, x.high, 5)
    step = marks[1] - marks[0]
    for mark in marks:
        canvas.add(f'<path d="M{x(mark):.1f} {y.at_low}v3M{x.at_low} {y(mark):.1f}h-3" stroke="#1c2530"/>')
        canvas.text(x(mark), y.at_low + 13, tick_text(mark, step), anchor="middle", size=9)
        canvas.text(x.at_low - 5, y(mark) + 3, tick_text(mark, step), anchor="end", size=9)
    canvas.add(
        f'<path d="M{x(0)} {y.at_high}V{y.at_low}M{x.at_low} {y(0)}H{x.at_high}" stroke="{FAINT}" stroke-width="0.8"/>'
    )
    canvas.text((x.at_low + x.at_high) / 2, y.at_low + 25, "X mm at isocentre", anchor="middle", size=9)
    canvas.add(f'<rect x="{x.at_low}" y="{y.at_high}" width="{SIZE}" height="{SIZE}" fill="none" stroke="{FRAME}"/>')
