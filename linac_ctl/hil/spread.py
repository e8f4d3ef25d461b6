"""A set of durations in a few numbers, and as a histogram."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from linac_ctl.records.charts import SEEN, Line, Panel, chart

BINS = 60


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, 99th percentile and worst of `count` durations."""

    count: int
    p50_us: float
    p99_us: float
    max_us: float

    def line(self) -> str:
        """For people."""
        return f"p50 {duration(self.p50_us)}, p99 {duration(self.p99_us)}, max {duration(self.max_us)} of {self.count}"


def spread(durations_us: Sequence[float]) -> Spread:
    """Nearest-rank percentiles: each is a duration that happened."""
    ordered = sorted(durations_us)
    if not ordered:
        return Spread(0, math.nan, math.nan, math.nan)
    return Spread(len(ordered), rank(ordered, 0.50), rank(ordered, 0.99), ordered[-1])


def rank(ordered: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all do not exceed."""
    return float(ordered[max(0, math.ceil(share * len(ordered)) - 1)])


def duration(us: float) -> str:
    """In the unit that reads best."""
    if not math.isfinite(us):
        return "none"
    return f"{us:.0f} us" if us < 1000.0 else f"{us / 1000.0:.2f} ms"


def histogram(title: str, durations_us: Sequence[float], x_label: str = "ms") -> str:
    """SVG of how often each duration happened; what lies above the 99.5th percentile by half is in the last bin."""
    values_ms = np.asarray(durations_us, np.float64) / 1000.0
    if not len(values_ms):
        return ""
    top = min(float(values_ms.max()), 1.5 * float(np.quantile(values_ms, 0.995)))
    low = float(values_ms.min())
    counts, edges = np.histogram(np.minimum(values_ms, top), bins=BINS, range=(low, max(top, low + 0.001)))
    x = np.repeat(edges, 2)
    y = np.concatenate(([0.0], np.repeat(counts, 2), [0.0]))
    return chart(title, x_label, (Panel("count", (Line("round trips", x, y, SEEN),), 150),), width=900)
