"""Small statistics: percentiles as they are, and what nought out of many says."""

import math
from collections.abc import Iterable

ABSURD = 1e9
SHARES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))


def percentiles(values: Iterable[float | None]) -> dict[str, float | int]:
    """How many there are, and the smallest value that so many do not exceed."""
    known = sorted(value for value in values if value is not None and not math.isnan(value))
    if not known:
        return {"n": 0}
    at = {name: round(known[max(0, math.ceil(share * len(known)) - 1)], 6) for name, share in SHARES}
    return {"n": len(known)} | at


def readable(value: float, digits: int = 3) -> str:
    """So many significant digits and no power of ten: what people read in tables. Beyond a milliard nobody counts digits."""
    text = f"{value:.{digits}g}"
    if "e" not in text or not abs(value) < ABSURD:
        return text
    return f"{value:.0f}" if abs(value) >= 1.0 else f"{value:.{digits + 2}f}"


def rounded(value: float | None) -> float | None:
    """To a millionth: what is left are digits that nobody reads."""
    return None if value is None else round(float(value), 6)


def upper_bound(hits: int, runs: int, sure: float = 0.95) -> float | None:
    """The share of hits that is exceeded with certainty `sure` by none (Clopper-Pearson, one-sided); None of no runs."""
    if runs == 0:
        return None
    if hits >= runs:
        return 1.0
    low, high = hits / runs, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(hits, runs, middle) > 1.0 - sure else (low, middle)
    return high


def at_most(hits: int, runs: int, share: float) -> float:
    """Probability of so few hits, or fewer."""
    if share <= 0.0:
        return 1.0
    logs = (math.lgamma(runs + 1) - math.lgamma(k + 1) - math.lgamma(runs - k + 1) + k * math.log(share)
            + (runs - k) * math.log1p(-share) for k in range(hits + 1))
    return min(1.0, sum(math.exp(value) for value in logs))
