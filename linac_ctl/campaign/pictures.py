"""Pictures of a campaign as inline SVG."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..records.charts import ERROR, FAINT, INK, Canvas, Line, Mark, Panel, Scale, chart
from .row import Row
from .summary import WORST_FIRST

COLORS = {"passed": "#3f9b62", "failed": "#e07b00", "missed": "#c62828", "harmless": "#c8cf7a", "not_activated": "#b9c2ca",
          "not_reachable": "#eceff1", "crashed": "#4a148c"}
SEVERITIES = {"S4": "#c62828", "S3": "#e07b00", "S2": "#1f5fa8", "S1": "#7a8590"}
PARTS = {"grid": ("single faults", "#1f5fa8"), "pairs": ("two faults", "#e08a00"), "swarm": ("swarms", "#8a3fa0"),
         "guided": ("search", "#2f8f5b")}
LEFT, TOP, ROW, WIDTH = 230, 44, 15, 1000
PAIRS_TITLE = "Two faults: the worst of their meetings (before, after, same cycle)"
LEAST = {"ms": 10.0, "MU": 0.01, "mm": 0.01}  # where a logarithmic axis begins
WIDE = 50.0  # times the median: beyond that a linear axis shows the slowest run and nothing else
TITLE_PX = 8  # of a letter of a title, the wide ones too


Place = Callable[[Any], Any]  # values -> places along an axis


def pictures(rows: Sequence[Row]) -> dict[str, str]:
    """Name -> SVG; only of what was measured."""
    own = [row for row in rows if not row.twin_of and row.part != "fault_free"]
    drawn = {"detection": detection(own),
             "reaction": spread(own, "reaction_ms", "ms", "Beam or motion stopped, after the effective time"),
             "permit": spread(own, "trip_to_permit_ms", "ms", "From a trip to the permit low", ((10.0, "goal"), (20.0, "bar"))),
             "excess": spread(own, "excess_mu", "MU", "Dose above the prescription",
                              ((0.7, "goal, single"), (1.5, "bar, single"), (5.0, "bar, double"))),
             "after": spread(own, "mu_after_eff", "MU", "Dose between the effective time and the stop"),
             "miss": spread(own, "worst_miss_mm", "mm", "Worst miss with beam", ((1.5, "goal"), (2.0, "bar"))),
             "pairs": pairs(own)}
    return {name: svg for name, svg in drawn.items() if svg}


def detection(rows: Iterable[Row]) -> str:
    """A line for every mode: from the fastest to the slowest detection, the middle one, and the limit."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.part == "grid" and row.detection_ms is not None:
            groups[row.modes].append(row)
    if not groups:
        return ""
    canvas = Canvas(WIDTH, TOP + ROW * len(groups) + 44)
    canvas.text(8, 15, "Detection of single faults by mode: fastest, median, slowest; the mark is the limit", size=13,
                more=' font-weight="600"')
    values = [row.detection_ms or 0.0 for some in groups.values() for row in some]
    limits = [row.detection_limit_ms for some in groups.values() for row in some if row.detection_limit_ms]
    top = float(np.log10(1.15 * max([*values, *limits, 100.0])))
    _log_axis(canvas, Scale(0.0, top, LEFT, WIDTH - 40), TOP + ROW * len(groups))
    for k, (mode, some) in enumerate(sorted(groups.items())):
        _mode_line(canvas, Scale(0.0, top, LEFT, WIDTH - 40), mode, some, TOP + ROW * (k + 0.5))
    return canvas.svg("Detection of single faults by mode")


def _log_axis(canvas: Canvas, x: Scale, bottom: float) -> None:
    """1, 10, 100 ms and between."""
    for power in range(int(x.high) + 1):
        for factor in (1, 2, 5):
            at = power + float(np.log10(factor))
            if at <= x.high:
                canvas.add(f'<path d="M{x(at):.1f} {TOP - 6}V{bottom:.1f}" stroke="{FAINT}"/>')
                canvas.text(x(at), bottom + 15, f"{factor * 10**power}", anchor="middle", size=10)
    canvas.text((x.at_low + x.at_high) / 2, bottom + 32, "ms after the effective time (logarithmic)", anchor="middle")


def _mode_line(canvas: Canvas, x: Scale, mode: str, rows: Sequence[Row], y: float) -> None:
    place: Callable[[float], float] = lambda ms: float(x(np.log10(max(ms, 1.0))))  # noqa: E731  # one line of arithmetic
    times = sorted(row.detection_ms or 0.0 for row in rows)
    limit = max((row.detection_limit_ms or 0.0 for row in rows), default=0.0)
    color = SEVERITIES.get(rows[0].severity, INK)
    canvas.text(LEFT - 10, y + 4, f"{mode}  {rows[0].severity}  n={len(times)}", anchor="end", size=10)
    canvas.add(f'<path d="M{place(times[0]):.1f} {y:.1f}H{place(times[-1]) + 0.1:.1f}" stroke="{color}" stroke-width="3" '
               'stroke-linecap="round"/>')
    canvas.add(f'<circle cx="{place(times[len(times) // 2]):.1f}" cy="{y:.1f}" r="4" fill="{color}" stroke="#fff"/>')
    if limit:
        late = times[-1] > limit
        canvas.add(f'<path d="M{place(limit):.1f} {y - 6:.1f}v12" stroke="{ERROR if late else INK}" '
                   f'stroke-width="{3 if late else 1.6}"/>')


def spread(rows: Iterable[Row], column: str, unit: str, title: str, limits: tuple[tuple[float, str], ...] = ()) -> str:
    """Share of the runs that stay within a value, a line for every part of the campaign."""
    groups: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if (value := getattr(row, column)) is not None:
            groups[row.part].append(max(0.0, value))
    if not groups:
        return ""
    most, least = max(max(values) for values in groups.values()), LEAST[unit]
    middle = max(float(np.median([value for values in groups.values() for value in values])), least)
    marked = [(at, name) for at, name in limits if at <= max(4 * most, 1e-9)]
    end = max([most, *(at for at, _ in marked)]) * 1.05
    wide = most > WIDE * middle
    place: Place = partial(log_place, least) if wide else np.asarray
    lines = tuple(_steps(PARTS[part][0], place(sorted(values)), PARTS[part][1]) for part, values in groups.items() if part in PARTS)
    marks = tuple(Mark(float(place(at)), f"{name} {at:g} {unit}", ERROR if name.startswith("bar") else INK) for at, name in marked)
    reach = Line("", place([0.0, end]), np.array([np.nan, np.nan]), "none")
    label, tens = (f"{unit} (logarithmic)", log_ticks(least, end)) if wide else (unit, ())
    return chart(title, label, (Panel("% of runs within", (*lines, reach), height=190),), marks=marks, x_ticks=tens)


def log_place(least: float, values: Any) -> Any:
    """Where values are along a logarithmic axis that begins at `least`; what is less is there too."""
    return np.log10(np.maximum(values, least))


def log_ticks(least: float, most: float) -> tuple[tuple[float, str], ...]:
    """1, 2, 5, 10 ..., from the least on."""
    first, last = int(np.floor(np.log10(least))), int(np.ceil(np.log10(most)))
    values = [factor * 10.0**power for power in range(first, last + 1) for factor in (1, 2, 5)]
    return tuple((float(np.log10(value)), f"{value:g}") for value in values if least <= value <= most)


def _steps(name: str, values: Any, color: str) -> Line:
    """The distribution as it is, without any binning."""
    share = 100.0 * np.arange(1, len(values) + 1) / len(values)
    x, y = np.repeat(values, 2), np.repeat(share, 2)
    return Line(name, np.concatenate([x[:1], x[:1], x[1:], x[-1:]]), np.concatenate([[0.0, 0.0], y[:-1], y[-1:]]), color, 1.8)


def pairs(rows: Iterable[Row]) -> str:
    """Mode by mode, above the diagonal: the worst verdict of their meetings."""
    found: dict[tuple[str, str], str] = {}
    for row in rows:
        if row.part == "pairs":
            a, b = row.modes.split(" ")
            found[a, b] = min(found.get((a, b), row.verdict), row.verdict, key=WORST_FIRST.index)
    if not found:
        return ""
    names = sorted({name for pair in found for name in pair})
    cell = max(6, min(16, 820 // len(names)))
    size = cell * len(names)
    canvas = Canvas(max(LEFT // 2 + size + 160, 16 + TITLE_PX * len(PAIRS_TITLE)), 100 + size)
    canvas.text(8, 15, PAIRS_TITLE, size=13, more=' font-weight="600"')
    at = {name: k for k, name in enumerate(names)}
    for (a, b), verdict in found.items():
        for x, y in ((at[b], at[a]), (at[a], at[b])):
            canvas.add(f'<rect x="{LEFT // 2 + cell * x}" y="{90 + cell * y}" width="{cell - 1}" height="{cell - 1}" '
                       f'fill="{COLORS[verdict]}"><title>{a} with {b}: {verdict.replace("_", " ")}</title></rect>')
    for name, k in at.items():
        canvas.text(LEFT // 2 - 5, 90 + cell * (k + 0.75), name, anchor="end", size=min(10, cell))
        left = LEFT // 2 + cell * (k + 0.75)
        canvas.text(left, 86, name, size=min(10, cell), more=f' transform="rotate(-60 {left:.1f} 86)"')
    _keys(canvas, [v for v in WORST_FIRST if v in found.values()], LEFT // 2 + size + 14)
    return canvas.svg("Pairs of faults")


def _keys(canvas: Canvas, verdicts: list[str], x: float) -> None:
    for k, verdict in enumerate(verdicts):
        canvas.add(f'<rect x="{x}" y="{92 + 18 * k}" width="12" height="12" fill="{COLORS[verdict]}"/>')
        canvas.text(x + 18, 102 + 18 * k, verdict.replace("_", " "), size=11)


def bar_of(counts: dict[str, int], width: int = WIDTH) -> str:
    """All runs as one bar, worst verdicts first."""
    total: Any = sum(counts.values()) or 1
    canvas, at = Canvas(width, 48), 0.0
    for verdict in WORST_FIRST:
        if not (count := counts.get(verdict, 0)):
            continue
        wide = max(3.0, width * count / total)
        canvas.add(f'<rect x="{at:.1f}" y="0" width="{wide:.1f}" height="24" fill="{COLORS[verdict]}"/>')
        at += wide
    at = 0.0
    for verdict in (v for v in WORST_FIRST if counts.get(v)):
        text = f"{counts[verdict]} {verdict.replace('_', ' ')}"
        canvas.add(f'<rect x="{at:.1f}" y="32" width="10" height="10" fill="{COLORS[verdict]}" stroke="#8b97a3"/>')
        canvas.text(at + 14, 41, text, size=12)
        at += 30 + 6.6 * len(text)
    return canvas.svg("Verdicts of all runs")


