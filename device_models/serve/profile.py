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
        self.before = self.place.copy()  # one cycle ago, while somebody else's setpoints are followed
        self.moving = self.followed = False  # some axis is on its way; the last cycle was somebody else's

    def follow(self, places: Any) -> None:
        """Somebody else's setpoints: remembered, so that a stop starts at their speed. NaN: stands still there."""
        self.before, self.place = self.place, np.where(places == places, places, self.place)
        self.followed = True
        self._forget()

    def _forget(self) -> None:
        if self.moving:
            self.goal[:] = np.nan
            self.moving = False

    def _take_over(self) -> None:
        """Whatever speed it was led with is its own now."""
        if self.followed:
            self.velocity = np.clip((self.place - self.before) / DT_S, -self.speed, self.speed)
            self.followed = False

    def start(self, axis: int, goal: float) -> None:
        """Go there."""
        self._take_over()
        self.goal[axis], self.moving = goal, True

    def rest_at(self, places: Any) -> None:
        """Stand here."""
        self.place, self.velocity, self.followed = np.array(places, float), np.zeros(len(self.speed)), False
        self._forget()

    def stop(self) -> None:
        """Every axis that has speed comes to rest, no faster than it may brake."""
        self._take_over()
        self.goal = np.where(self.velocity != 0.0, self.place + self.velocity * np.abs(self.velocity) / (2.0 * self.accel), np.nan)
        self.moving = bool((self.velocity != 0.0).any())

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
        self.moving = bool(np.isfinite(self.goal).any())
        return [int(i) for i in np.flatnonzero(there)]

    def setpoints(self) -> Any:
        """On the wire's grid."""
        return np.rint(self.place * PER) / PER
