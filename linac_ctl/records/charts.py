"""Line charts as inline SVG: panels over one x axis, readable ticks, legend, bands for phases, nothing from outside."""

from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEFT, RIGHT, TOP, BOTTOM, GAP = 62, 22, 34, 36, 14  # px around and between panels
LETTER = 5.4  # px of a letter of size 9
INK, FAINT, FRAME = "#1c2530", "#d9dee3", "#8b97a3"
ASKED, SEEN, ERROR, TARGET = "#e08a00", "#1f5fa8", "#a02c2c", "#8a2c8f"
FONT = 'font-family="system-ui,DejaVu Sans,sans-serif"'


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """y over x; x never falls."""

    name: str
    x: NDArray[Any]
    y: NDArray[Any]
    color: str
    width: float = 1.2


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of x with a meaning."""

    first: float
    last: float
    color: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Dots:
    """Single measurements: y over x, in any order."""

    name: str
    x: NDArray[Any]
    y: NDArray[Any]
    color: str


@dataclass(frozen=True, slots=True)
class Mark:
    """An instant with a name: a line across all panels."""

    x: float
    name: str
    color: str


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One y axis. `limits` are dashed lines; they are drawn where they fall inside `lines`' range or close to it."""

    label: str
    lines: tuple[Line, ...]
    height: int = 110
    limits: tuple[float, ...] = ()
    least_span: float = 0.0  # the y axis covers at least this much
    dots: tuple[Dots, ...] = ()


@dataclass(frozen=True, slots=True)
class Scale:
    """Data to pixels along one direction."""

    low: float
    high: float
    at_low: float
    at_high: float

    def __call__(self, value: Any) -> Any:
        return self.at_low + (value - self.low) / (self.high - self.low) * (self.at_high - self.at_low)


@dataclass(slots=True)
class Canvas:
    """SVG elements so far."""

    width: int
    height: int
    parts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """One element."""
        self.parts.append(text)

    def text(
        self, x: float, y: float, text: str, *, anchor: str = "start", size: int = 11, color: str = INK, more: str = ""
    ) -> None:
        """Escaped text."""
        self.add(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{color}"{more}>'
            f"{escape(text)}</text>"
        )

    def svg(self, title: str) -> str:
        """The finished picture; it also stands alone as a file."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
            f'height="{self.height}" role="img" {FONT}><title>{escape(title)}</title>'
            f'<rect width="100%" height="100%" fill="#fff"/>{"".join(self.parts)}</svg>'
        )


def chart(title: str, x_label: str, panels: tuple[Panel, ...], bands: tuple[Band, ...] = (), width: int = 1000,
          marks: tuple[Mark, ...] = (), x_ticks: tuple[tuple[float, str], ...] = ()) -> str:
    """SVG of panels under one another, all over the same x. `x_ticks`: place and text, where round numbers are not meant."""
    height = TOP + sum(p.height for p in panels) + GAP * (len(panels) - 1) + BOTTOM
    canvas = Canvas(width, height)
    canvas.text(8, 15, title, size=13, more=' font-weight="600"')
    x = Scale(*span(_all(panels, "x"), 1e-6, margin=0.0), LEFT, width - RIGHT)
    top = float(TOP)
    for panel in panels:
        _panel(canvas, panel, x, top, bands)
        top += panel.height + GAP
    _marks(canvas, marks, x, top - GAP)
    _x_axis(canvas, x, top - GAP, x_label, x_ticks or round_ticks(x))
    _legend(canvas, panels, bands)
    return canvas.svg(title)


def _marks(canvas: Canvas, marks: tuple[Mark, ...], x: Scale, bottom: float) -> None:
    """Lines with names; a name that would run into the one before goes a line lower, one that has no room goes to the left."""
    free, level = 0.0, 0
    for mark in sorted(marks, key=lambda it: it.x):
        at, wide = x(mark.x), LETTER * len(mark.name)
        level = level + 1 if at < free else 0
        left = at + wide > canvas.width - RIGHT
        canvas.add(f'<path d="M{at:.1f} {TOP}V{bottom}" stroke="{mark.color}" stroke-dasharray="3 3" stroke-width="0.9"/>')
        canvas.text(at - 3 if left else at + 3, TOP + 10 + 11 * level, mark.name, size=9, color=mark.color,
                    anchor="end" if left else "start")
        free = max(free, at + 3 + wide)


def span(values: NDArray[Any], least: float, margin: float = 0.06) -> tuple[float, float]:
    """Lowest and highest finite value with some air, at least `least` apart."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
    least = max(least, 1e-6 * max(abs(low), abs(high)), 1e-9)
    spare = max((least - (high - low)) / 2, margin * (high - low))
    return low - spare, high + spare


def ticks(low: float, high: float, most: int) -> list[float]:
    """At most about `most` round numbers inside low .. high."""
    raw = (high - low) / max(most, 1)
    power = 10.0 ** np.floor(np.log10(raw))
    step = float(next(m for m in (1, 2, 5, 10) if m * power >= raw * 0.999) * power)
    first = np.ceil(low / step - 1e-9)
    return [float(first + i) * step for i in range(int(np.floor(high / step + 1e-9) - first) + 1)]


def tick_text(value: float, step: float) -> str:
    """As many decimals as the step needs."""
    decimals = max(0, int(-np.floor(np.log10(step) + 1e-9))) if step > 0 else 0
    return f"{0.0 if abs(value) < step * 1e-6 else value:.{decimals}f}"


def decimate(x: NDArray[Any], y: NDArray[Any], columns: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Lowest and highest point of each pixel column, in the order of the trend, so that no spike is lost."""
    if len(x) <= 2 * columns:
        return x, y
    width = float(x[-1] - x[0]) or 1.0
    column = np.minimum(((x - x[0]) / width * columns).astype(int), columns - 1)
    starts = np.flatnonzero(np.diff(column, prepend=-1))
    ends = np.append(starts[1:], len(x)) - 1
    low, high = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    rises = y[starts] <= y[ends]
    pair = np.stack([np.where(rises, low, high), np.where(rises, high, low)], axis=1)
    return np.repeat(x[starts], 2), pair.ravel()


def path(x: NDArray[Any], y: NDArray[Any]) -> str:
    """SVG path data; a gap wherever y is not a number; points on a level stretch are left out."""
    xs, ys = np.round(x, 1), np.round(y, 1)
    good = np.isfinite(ys)
    keep = good.copy()
    if len(ys) > 2:
        level = (ys[1:-1] == ys[:-2]) & (ys[1:-1] == ys[2:])
        keep[1:-1] &= ~level
    begins = good & ~np.concatenate(([False], good[:-1]))
    command = np.where(begins, "M", "L")
    return "".join(
        f"{c}{a:g} {b:g}" for c, a, b in zip(command[keep], xs[keep].tolist(), ys[keep].tolist(), strict=True)
    )


def _all(panels: tuple[Panel, ...], which: str) -> NDArray[Any]:
    arrays = [np.asarray(getattr(line, which), np.float64) for panel in panels for line in (*panel.lines, *panel.dots)]
    return np.concatenate(arrays) if arrays else np.zeros(0)


def _panel(canvas: Canvas, panel: Panel, x: Scale, top: float, bands: tuple[Band, ...]) -> None:
    limits = _near_limits(panel)
    values = np.concatenate([_all((panel,), "y"), np.array(limits)])
    y = Scale(*span(values, panel.least_span), top + panel.height, top)
    for band in bands:
        _band(canvas, band, x, top, panel.height)
    _y_axis(canvas, y, panel, x)
    for limit in limits:
        canvas.add(
            f'<path d="M{x.at_low} {y(limit):.1f}H{x.at_high}" stroke="{ERROR}" stroke-dasharray="4 4" fill="none"/>'
        )
    for line in panel.lines:
        xs, ys = decimate(np.asarray(line.x, np.float64), np.asarray(line.y, np.float64), int(x.at_high - x.at_low))
        canvas.add(
            f'<path d="{path(x(xs), y(ys))}" stroke="{line.color}" stroke-width="{line.width}" fill="none" '
            'stroke-linejoin="round"/>'
        )
    for dots in panel.dots:
        places = zip(x(np.asarray(dots.x, float)), y(np.asarray(dots.y, float)), strict=True)
        canvas.add("".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{dots.color}" stroke="#fff" stroke-width="0.8"/>'
                           for a, b in places if np.isfinite(b)))


def _near_limits(panel: Panel) -> list[float]:
    """Limits that would not squeeze the data into a line."""
    values = _all((panel,), "y")
    worst = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 0.0
    return [limit for limit in panel.limits if abs(limit) <= 4 * worst]


def _band(canvas: Canvas, band: Band, x: Scale, top: float, height: float) -> None:
    first, last = np.clip(x(np.array([band.first, band.last])), x.at_low, x.at_high)
    if last > first:
        canvas.add(
            f'<rect x="{first:.1f}" y="{top:.1f}" width="{max(last - first, 0.8):.1f}" height="{height}" '
            f'fill="{band.color}"/>'
        )


def _y_axis(canvas: Canvas, y: Scale, panel: Panel, x: Scale) -> None:
    marks = ticks(y.low, y.high, max(4, panel.height // 18))
    step = marks[1] - marks[0] if len(marks) > 1 else abs(marks[0] if marks else 1.0) or 1.0
    for mark in marks:
        canvas.add(f'<path d="M{x.at_low} {y(mark):.1f}H{x.at_high}" stroke="{FAINT}"/>')
        canvas.text(x.at_low - 5, y(mark) + 4, tick_text(mark, step), anchor="end", size=10)
    middle = (y.at_low + y.at_high) / 2
    canvas.text(12, middle, panel.label, anchor="middle", more=f' transform="rotate(-90 12 {middle:.1f})"')
    canvas.add(
        f'<rect x="{x.at_low}" y="{y.at_high}" width="{x.at_high - x.at_low}" height="{panel.height}" '
        f'fill="none" stroke="{FRAME}"/>'
    )


def round_ticks(x: Scale) -> tuple[tuple[float, str], ...]:
    """Round numbers along an axis, with as many decimals as they need."""
    marks = ticks(x.low, x.high, int((x.at_high - x.at_low) // 70))
    step = marks[1] - marks[0] if len(marks) > 1 else 1.0
    return tuple((mark, tick_text(mark, step)) for mark in marks)


def _x_axis(canvas: Canvas, x: Scale, bottom: float, label: str, marks: tuple[tuple[float, str], ...]) -> None:
    for at, text in marks:
        canvas.add(f'<path d="M{x(at):.1f} {bottom}v4" stroke="{INK}"/>')
        canvas.text(x(at), bottom + 15, text, anchor="middle", size=10)
    canvas.text((x.at_low + x.at_high) / 2, bottom + 30, label, anchor="middle")


def _legend(canvas: Canvas, panels: tuple[Panel, ...], bands: tuple[Band, ...]) -> None:
    """Top right: every line and band once."""
    entries = {line.name: line.color for panel in panels for line in panel.lines}
    entries |= {dots.name: dots.color for panel in panels for dots in panel.dots}
    entries |= {band.name: band.color for band in bands}
    at = float(canvas.width - RIGHT)
    band_names = [band.name for band in bands]
    for name, color in reversed(entries.items()):
        at -= 7 * len(name) * 0.86
        canvas.text(at, 26, name, size=10)
        thick = 9 if name in band_names else 2
        canvas.add(
            f'<rect x="{at - 18:.1f}" y="{22 - thick / 2:.1f}" width="14" height="{thick}" fill="{color}" '
            f'stroke="{FRAME}" '
            f'stroke-width="{0.5 if thick > 2 else 0}"/>'
        )
        at -= 32
