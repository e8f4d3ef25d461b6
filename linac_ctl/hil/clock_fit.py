"""How fast a device's clock runs beside ours: a straight line through the fastest exchanges."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_GRAIN_US = 1000
KEPT = 0.5  # the faster half of all exchanges says least wrongly when the device was asked


@dataclass(frozen=True, slots=True)
class Reading:
    """One exchange: when it began and ended here, and what the device's clock said in the reply."""

    sent_us: float
    came_us: float
    device_us: float

    @property
    def middle_us(self) -> float:
        """Our best guess of when the device read its clock."""
        return (self.sent_us + self.came_us) / 2

    @property
    def trip_us(self) -> float:
        """There and back."""
        return self.came_us - self.sent_us


@dataclass(frozen=True, slots=True)
class ClockFit:
    """device = offset + ratio * host. The uncertainty is half a round trip at either end of the span."""

    ratio: float
    offset_us: float
    uncertainty_ppm: float

    @property
    def drift_ppm(self) -> float:
        """Positive: the device's clock is fast."""
        return (self.ratio - 1.0) * 1e6


def fit(readings: Sequence[Reading]) -> ClockFit:
    """Needs two readings at least."""
    fast = sorted(readings, key=lambda reading: reading.trip_us)[: max(2, int(len(readings) * KEPT))]
    host = np.array([reading.middle_us for reading in fast])
    device = np.array([reading.device_us for reading in fast])
    span_us = float(host.max() - host.min())
    ratio, offset = np.polyfit(host - host[0], device, 1) if span_us > 0 else (float("nan"), float("nan"))
    half_us = float(np.median([reading.trip_us for reading in fast])) / 2 + grain_us(readings) / 2
    return ClockFit(float(ratio), float(offset - ratio * host[0]), 2e6 * half_us / span_us if span_us else float("inf"))


def grain_us(readings: Sequence[Reading]) -> float:
    """Steps in which the device's clock goes, as far as the readings show: what divides all their distances. 1 ms at least."""
    first = readings[0].device_us
    apart = [round(abs(reading.device_us - first)) for reading in readings]
    return float(max(math.gcd(*apart), LEAST_GRAIN_US))
