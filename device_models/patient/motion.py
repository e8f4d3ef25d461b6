"""How a patient moves on the couch while nobody is looking: functions of machine time alone, in the patient's axes."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from device_models.interface.volume import Floats, Pose

from .chance import normals
from .errors import PatientError

Triple = tuple[float, float, float]


class Motion(Protocol):
    """Anything that moves a patient."""

    def at(self, time_s: float) -> Pose:
        """The motion since the set-up, which was at 0 s."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A steady creep and a wandering that grows with the square root of time."""

    seed: int
    rate_mm_per_min: Triple = (0.0, 0.0, 0.0)
    rate_deg_per_min: Triple = (0.0, 0.0, 0.0)
    wander_mm: Triple = (0.0, 0.0, 0.0)  # sigma after one minute
    wander_deg: Triple = (0.0, 0.0, 0.0)

    def at(self, time_s: float) -> Pose:
        """Steps of a minute, joined by straight lines."""
        minutes = max(0.0, time_s) / 60.0
        whole = int(minutes)
        walk = self._walked(whole) + (minutes - whole) * self._step(whole)
        rate = np.array([*self.rate_mm_per_min, *self.rate_deg_per_min])
        return _pose(rate * minutes + walk * np.array([*self.wander_mm, *self.wander_deg]))

    def _step(self, minute: int) -> Floats:
        return drift_step(self.seed, minute)

    def _walked(self, minutes: int) -> Floats:
        return walked(self.seed, minutes) if any((*self.wander_mm, *self.wander_deg)) else np.zeros(6)


@lru_cache(maxsize=4096)
def drift_step(seed: int, minute: int) -> Floats:
    """(6,) of mean 0 and sigma 1: a pure function, kept because it is asked for ten times a second."""
    return normals(seed, f"patient drift {minute}", 6)


@lru_cache(maxsize=4096)
def walked(seed: int, minutes: int) -> Floats:
    """(6,) sum of the steps of so many minutes."""
    return walked(seed, minutes - 1) + drift_step(seed, minutes - 1) if minutes > 0 else np.zeros(6)


@dataclass(frozen=True, slots=True)
class Breathing:
    """Lujan's law (1999): amplitude x cos^(2 n): long at exhale, which is where the patient was set up."""

    amplitude_mm: Triple  # exhale to inhale along X, Y, Z
    period_s: float = 4.0
    phase: float = 0.0  # of one breath, at 0 s
    power: int = 2  # the n of cos^(2 n)

    def __post_init__(self) -> None:
        if not self.period_s > 0.0 or self.power < 1:
            raise PatientError(f"breathing: period {self.period_s} s, power {self.power}; a period above 0 s and a power from 1")

    def at(self, time_s: float) -> Pose:
        """Back to zero at every exhale."""
        share = math.sin(math.pi * (time_s / self.period_s + self.phase)) ** (2 * self.power)
        x, y, z = (share * a for a in self.amplitude_mm)
        return Pose((x, y, z))


@dataclass(frozen=True, slots=True)
class Jump:
    """A sudden move that stays: the patient coughs or falls asleep."""

    after_s: float
    by: Pose

    def at(self, time_s: float) -> Pose:
        """Nothing before, all of it after."""
        return self.by if time_s >= self.after_s else Pose()


@dataclass(frozen=True, slots=True)
class TurnShift:
    """What a turn of the couch does to a patient: grows with the angle; which way, is the session's luck."""

    seed: int
    sigma_mm_at_90: float = 0.0  # of each axis
    sigma_deg_at_90: float = 0.0

    def at_angle(self, couch_angle_deg: float) -> Pose:
        """Nothing at couch 0; turning to the other side does something else."""
        side = "left" if couch_angle_deg > 0.0 else "right"
        share = min(1.0, abs(couch_angle_deg) / 90.0)
        sigma = np.array([self.sigma_mm_at_90] * 3 + [self.sigma_deg_at_90] * 3)
        return _pose(share * sigma * normals(self.seed, f"couch turn {side}", 6))


@dataclass(frozen=True, slots=True)
class SetUpError:
    """How far set-up leaves a patient from the plan: systematic (of this patient) and random (of this day), sigmas."""

    systematic_mm: Triple = (0.0, 0.0, 0.0)
    random_mm: Triple = (0.0, 0.0, 0.0)
    systematic_deg: Triple = (0.0, 0.0, 0.0)
    random_deg: Triple = (0.0, 0.0, 0.0)
    limit_sigma: float = 3.5  # no draw beyond

    def drawn(self, seed: int, patient: str = "patient", fraction: int = 1) -> Pose:
        """The same patient keeps its systematic part from fraction to fraction."""
        limit = self.limit_sigma
        ever = np.clip(normals(seed, f"{patient}/set-up", 6), -limit, limit)
        today = np.clip(normals(seed, f"{patient}/set-up/{fraction}", 6), -limit, limit)
        sigmas = np.array([*self.systematic_mm, *self.systematic_deg]), np.array([*self.random_mm, *self.random_deg])
        return _pose(ever * sigmas[0] + today * sigmas[1])


def _pose(six: Floats) -> Pose:
    """On a grid of 0.1 um and 1e-5 deg, so that it does not depend on the last bit of a sine."""
    x, y, z = (round(float(v), 4) + 0.0 for v in six[:3])
    rx, ry, rz = (round(float(v), 5) + 0.0 for v in six[3:])
    return Pose((x, y, z), (rx, ry, rz))
