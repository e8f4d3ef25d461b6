"""Pictures of a study as inline SVG."""

import numpy as np

from ..records.charts import FAINT, FRAME, INK, Canvas, Line, Panel, Scale, chart, tick_text, ticks
from .margins import ArmResult, Number
from .outcome import Outcome

COLORS = ("#7a8590", "#e08a00", "#2f8f5b", "#1f5fa8", "#8a3fa0", "#a02c2c", "#00838f", "#5d4037")
BARS = (  # quantity, what it says, opacity
    ("recipe_mm", "recipe, many fractions", 1.0),
    ("recipe_few_mm", "recipe, these fractions", 0.65),
    ("covers_90_mm", "covers 90 % of patients", 0.35),
)
LEFT, TOP, ROW, GAP, WIDTH = 240, 44, 15, 16, 1000


def pictures(outcome: Outcome) -> dict[str, str]:
    """Name -> SVG."""
    return {"margins": margins(outcome), "parts": parts(outcome), "first-beam": first_beam(outcome), "during": during(outcome)}


def colour(k: int) -> str:
    """Of the k-th arm, the same in every picture."""
    return COLORS[k % len(COLORS)]


def margins(outcome: Outcome) -> str:
    """Bars with intervals for every arm, published figures as bands."""
    height = TOP + len(outcome.arms) * (len(BARS) * ROW + GAP) + 34
    canvas = Canvas(WIDTH, height)
    canvas.text(8, 15, "Margin in mm, the largest of the three axes, with 95 % intervals", size=13, more=' font-weight="600"')
    most = max(arm.numbers[key].high for arm in outcome.arms for key, _, _ in BARS)
    most = max(most, *(c.published.margin_mm[1] for c in outcome.comparisons)) if outcome.comparisons else most
    x = Scale(0.0, 1.06 * most, LEFT, WIDTH - 60)
    _axis(canvas, x, height - 34)
    top = float(TOP)
    for k, arm in enumerate(outcome.arms):
        _bars(canvas, arm, x, top, colour(k))
        for c in outcome.comparisons:
            if c.published.arm == arm.name:
                _published(canvas, x, c.published.margin_mm, top)
        top += len(BARS) * ROW + GAP
    _keys(canvas)
    return canvas.svg("Margins of every arm")


def _axis(canvas: Canvas, x: Scale, bottom: float) -> None:
    marks = ticks(x.low, x.high, 10)
    for mark in marks:
        canvas.add(f'<path d="M{x(mark):.1f} {TOP - 6}V{bottom}" stroke="{FAINT}"/>')
        canvas.text(x(mark), bottom + 15, tick_text(mark, marks[1] - marks[0]), anchor="middle", size=10)
    canvas.text((x.at_low + x.at_high) / 2, bottom + 30, "mm", anchor="middle")


def _bars(canvas: Canvas, arm: ArmResult, x: Scale, top: float, color: str) -> None:
    canvas.text(LEFT - 10, top + ROW * len(BARS) / 2 + 4, arm.title, anchor="end", size=12)
    for key, _, opacity in BARS:
        number = arm.numbers[key]
        canvas.add(f'<rect x="{x.at_low}" y="{top:.1f}" width="{x(number.value) - x.at_low:.1f}" height="{ROW - 3}" '
                   f'fill="{color}" fill-opacity="{opacity}"/>')
        _whisker(canvas, x, number, top + (ROW - 3) / 2)
        canvas.text(x(number.high) + 6, top + ROW - 5, f"{number.value:.1f}", size=10)
        top += ROW


def _whisker(canvas: Canvas, x: Scale, number: Number, y: float) -> None:
    a, b = x(number.low), x(number.high)
    canvas.add(f'<path d="M{a:.1f} {y:.1f}H{b:.1f}M{a:.1f} {y - 3:.1f}v6M{b:.1f} {y - 3:.1f}v6" stroke="{INK}" fill="none"/>')


def _published(canvas: Canvas, x: Scale, margin_mm: tuple[float, float], top: float) -> None:
    """A dashed frame from the lower to the upper figure."""
    a, b = x(margin_mm[0]), x(margin_mm[1])
    canvas.add(f'<rect x="{a - 1.5:.1f}" y="{top - 5:.1f}" width="{b - a + 3:.1f}" height="{ROW * len(BARS) + 7}" fill="none" '
               f'stroke="#a02c2c" stroke-dasharray="4 3"/>')


def _keys(canvas: Canvas) -> None:
    at = float(LEFT)
    for _, text, opacity in BARS:
        canvas.add(f'<rect x="{at}" y="22" width="14" height="9" fill="{INK}" fill-opacity="{opacity}" stroke="{FRAME}"/>')
        canvas.text(at + 19, 30, text, size=10)
        at += 170
    canvas.add(f'<rect x="{at}" y="22" width="14" height="9" fill="none" stroke="#a02c2c" stroke-dasharray="4 3"/>')
    canvas.text(at + 19, 30, "published", size=10)


def parts(outcome: Outcome) -> str:
    """Systematic and random parts of every axis, the larger half of the recipe first."""
    names = [("systematic", "Σ"), ("random", "σ")]
    height = TOP + len(outcome.arms) * (6 * 11 + GAP) + 34
    canvas = Canvas(WIDTH, height)
    canvas.text(8, 15, "Systematic (Σ, full) and random (σ, light) parts along X, Y, Z in mm", size=13, more=' font-weight="600"')
    most = max(arm.numbers[f"{name}_{axis}_mm"].high for arm in outcome.arms for name, _ in names for axis in "xyz")
    x = Scale(0.0, 1.06 * max(most, 0.1), LEFT, WIDTH - 60)
    _axis(canvas, x, height - 34)
    top = float(TOP)
    for k, arm in enumerate(outcome.arms):
        canvas.text(LEFT - 40, top + 36, arm.title, anchor="end", size=12)
        for name, sign in names:
            for axis in "xyz":
                number = arm.numbers[f"{name}_{axis}_mm"]
                opacity = 1.0 if name == "systematic" else 0.45
                canvas.text(LEFT - 6, top + 8, f"{sign} {axis.upper()}", anchor="end", size=9)
                canvas.add(f'<rect x="{x.at_low}" y="{top:.1f}" width="{x(number.value) - x.at_low:.1f}" height="8" '
                           f'fill="{colour(k)}" fill-opacity="{opacity}"/>')
                _whisker(canvas, x, number, top + 4)
                top += 11
        top += GAP
    return canvas.svg("Systematic and random parts")


def first_beam(outcome: Outcome) -> str:
    """How many sessions begin with the target within a distance."""
    lines = []
    for k, arm in enumerate(outcome.arms):
        starts = outcome.starts(arm.name)
        share = 100.0 * np.arange(1, len(starts) + 1) / max(1, len(starts))
        lines.append(Line(arm.title, np.concatenate([[0.0], starts]), np.concatenate([[0.0], share]), colour(k), 1.6))
    return chart("Sessions in % whose target is within a distance of its planned place at the first beam", "mm",
                 (Panel("% of sessions", tuple(lines), height=230),))


def during(outcome: Outcome) -> str:
    """Root mean square distance while the treatment goes on."""
    lines = []
    for k, arm in enumerate(outcome.arms):
        if arm.sessions:
            lines.append(Line(arm.title, *outcome.walk(arm.name), colour(k), 1.6))
    close = tuple(line for line in lines if float(np.max(line.y)) < 0.6 * float(max(np.max(other.y) for other in lines)))
    panels = (Panel("rms mm", tuple(lines), height=150), *((Panel("rms mm, closer", close, height=150),) if close else ()))
    title = "Distance of the target's centre from its planned place during treatment, root mean square"
    return chart(title, "min of beam-on time", panels)
