"""Moves that a device makes by itself (`MV`, `MA`, a controlled stop): a trapezoid per axis, in whole um or millidegrees."""

from typing import Any

import numpy as np

from ..interface.image import DT_S

PER = 1000.0


class Profile:
    """Where the device's own motion has brought its setpoints. Units of the axes and s; arrays (n,)."""

    def __init__(self, speed: Any, accel: Any) -> None:
        self.speed, self.accel = speed, accel
        self.place, self.velocity = np.zeros(len(speed)), np.zeros(len(speed))
        self.goal = np.full(len(speed), np.nan)  # NaN = this axis has none
        self.before = self.place.copy()

    @property
    def moving(self) -> bool:
        """Some axis is on its way."""
        return bool(np.isfinite(self.goal).any())

    def follow(self, places: Any) -> None:
        """Somebody else's setpoints: remembered, so that a stop starts at their speed. NaN: stands still there."""
        known = np.where(np.isnan(places), self.place, places)
        self.velocity = np.clip((known - self.place) / DT_S, -self.speed, self.speed)
        self.place = known
        self.goal[:] = np.nan

    def start(self, axis: int, goal: float) -> None:
        """Go there."""
        self.goal[axis] = goal

    def rest_at(self, places: Any) -> None:
        """Stand here."""
        self.place, self.velocity = np.array(places, float), np.zeros(len(self.speed))
        self.goal[:] = np.nan

    def stop(self) -> None:
        """Every axis that has speed comes to rest, no faster than it may brake."""
        self.goal = np.where(self.velocity != 0.0, self.place + self.velocity * np.abs(self.velocity) / (2.0 * self.accel), np.nan)

    def step(self) -> list[int]:
        """One cycle; -> axes that have arrived in it."""
        going = np.isfinite(self.goal)
        left = np.where(going, self.goal, self.place) - self.place
        change = self.accel * DT_S
        stoppable = change * (np.sqrt(0.25 + 2.0 * np.abs(left) / (change * DT_S)) - 0.5)
        wanted = np.copysign(np.minimum(stoppable, self.speed), left) * going
        self.velocity += np.clip(wanted - self.velocity, -change, change)
        travel = self.velocity * DT_S
        there = going & (np.abs(left) <= np.abs(travel) + 0.0005) & (np.abs(self.velocity) <= 2.0 * change)
        self.place = np.where(there, self.goal, self.place + travel)
        self.velocity[there] = 0.0
        self.goal[there] = np.nan
        return [int(i) for i in np.flatnonzero(there)]

    def setpoints(self) -> Any:
        """On the wire's grid."""
        return np.rint(self.place * PER) / PER
