"""What margin the target would have needed: how far it was from its place while dose was given, weighted by that dose."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .target import TargetTruth

Floats = NDArray[np.float64]
SHARE = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """mm, over the dose."""

    mean: float
    most: float  # not exceeded during 95 % of the dose
    worst: float


@dataclass(frozen=True, slots=True, eq=False)
class Achieved:
    """Of one beam, or of all. `centre`: of the target's centre; `outline`: of the point of its outline that is farthest off."""

    name: str
    mu: float
    mean_mm: tuple[float, float, float]  # patient's axes
    centre: Spread
    outline: Spread


def achieved(truth: TargetTruth, beams: tuple[int, ...]) -> tuple[Achieved, ...]:
    """One for each beam that gave dose, then one for all; empty without dose."""
    mu = weights(truth)
    far = outline_mm(truth, mu > 0.0)
    chosen = [(f"beam {n}", truth["beam"] == n) for n in beams] + [("all beams", np.isin(truth["beam"], beams))]
    found = [_of(truth, name, np.where(which, mu, 0.0), far) for name, which in chosen if mu[which].sum() > 0.0]
    return tuple(found)


def weights(truth: TargetTruth) -> Floats:
    """(n,) MU that belong to each sample: half of those since the sample before, half of those until the next."""
    given = np.maximum(np.diff(truth["true_mu"]), 0.0)
    both = 0.5 * (np.append(given, 0.0) + np.insert(given, 0, 0.0))
    out: Floats = np.where(truth["beam"] >= 0.0, both, 0.0)
    return out


def outline_mm(truth: TargetTruth, where: NDArray[np.bool_]) -> Floats:
    """(n,) largest distance of a point of the outline from its planned place; NaN elsewhere."""
    points = np.vstack(truth.outline.contours_mm)
    far = np.full(len(truth.samples), np.nan)
    for k in np.flatnonzero(where):
        far[k] = np.linalg.norm(truth.error(int(k)).apply(points) - points, axis=1).max()
    return far


def _of(truth: TargetTruth, name: str, mu: Floats, far: Floats) -> Achieved:
    given = mu > 0.0
    mean = tuple(float(v) for v in np.average(truth.off_mm[given], axis=0, weights=mu[given]))
    return Achieved(name, float(mu.sum()), mean, spread(truth.length_mm[given], mu[given]), spread(far[given], mu[given]))  # type: ignore[arg-type]


def spread(mm: Floats, mu: Floats) -> Spread:
    """Weighted mean, 95 % and worst."""
    order = np.argsort(mm)
    reached = np.cumsum(mu[order]) / mu.sum()
    most = mm[order][min(int(np.searchsorted(reached, SHARE - 1e-12)), len(mm) - 1)]
    return Spread(float(np.average(mm, weights=mu)), float(most), float(mm.max()))


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """An aperture in collimator axes, mm. Strips: (p,) sides and tips; jaws X1 X2 Y1 Y2, NaN = not there."""

    low: Floats
    high: Floats
    left: Floats
    right: Floats
    jaws: Floats


def edge_mm(points: Floats, opening: Opening) -> float:
    """Of (n, 2) points: the least distance to the field's edge, positive inside; -inf for a closed field."""
    jaws = np.where(np.isnan(opening.jaws), [-np.inf, np.inf, -np.inf, np.inf], opening.jaws)
    left, right = np.maximum(opening.left, jaws[0]), np.minimum(opening.right, jaws[1])
    low, high = np.maximum(opening.low, jaws[2]), np.minimum(opening.high, jaws[3])
    shut = (right <= left) | (high <= low)
    if shut.all():
        return -np.inf
    return min(_point_edge(x, y, low, high, np.where(shut, x, left), np.where(shut, x, right), shut) for x, y in points)


def _point_edge(x: float, y: float, low: Floats, high: Floats, left: Floats, right: Floats, shut: NDArray[np.bool_]) -> float:
    """One point: inside, distance to the nearest strip part that is closed; outside, less the distance to the nearest open part."""
    across = np.maximum(np.maximum(low - y, y - high), 0.0)  # to the strip
    outside = np.maximum(np.maximum(left - x, x - right), 0.0)  # to its gap, along the leaves
    is_in = ~shut & (outside == 0.0)
    if (is_in & (across == 0.0)).any():
        to_closed = np.where(is_in, np.hypot(across, np.minimum(x - left, right - x)), across)
        ends = min(y - low[~shut].min(), high[~shut].max() - y)
        return float(min(to_closed.min(), ends))
    return -float(np.hypot(across, outside)[~shut].min())
