"""The surface monitor: cameras that see a point of the patient's skin and how high the chest is; late, and with a little noise."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from pydantic import BaseModel, Field

from device_models.interface.volume import Floats

from .chance import normals

GRID_DIGITS = 3  # 1 um: the cycle reads these


class SurfaceConfig(BaseModel, frozen=True, extra="forbid"):
    """How good it is."""

    every_s: float = Field(gt=0, description="between pictures")
    latency_s: float = Field(ge=0, description="from a picture to its answer on the wire")
    noise_mm: float = Field(ge=0, description="sigma of each number")


@dataclass(slots=True)
class SurfaceMonitor:
    """`silent`, `held` and `late_s` are where faults write: no answer, an old answer with a new stamp, a later answer."""

    config: SurfaceConfig
    seed: int
    silent: bool = False
    held: bool = False
    late_s: float = 0.0
    _waiting: "deque[tuple[int, Floats]]" = field(default_factory=deque)
    _taken: int = 0
    _last: Floats | None = None

    def take(self, cycle: int, skin_mm: Floats, breath_mm: float) -> None:
        """One picture of what is true now."""
        luck = self.config.noise_mm * normals(self.seed, f"surface {self._taken}", 4)
        self._taken += 1
        self._waiting.append((cycle, np.round(np.array([*skin_mm, breath_mm]) + luck, GRID_DIGITS)))

    def answer(self, cycle: int, cycle_s: float) -> tuple[int, Floats] | None:
        """(cycle of the picture, skin x y z and chest in mm): the newest that has been worked on for long enough, once."""
        due, found = cycle - round((self.config.latency_s + self.late_s) / cycle_s), None
        while self._waiting and self._waiting[0][0] <= due:
            found = self._waiting.popleft()
        if found is None or self.silent:
            return None
        if not self.held or self._last is None:
            self._last = found[1]
        return found[0], self._last
