"""An instant of a run that a person can name: 12.3s, cycle=1230, mu=20, mu=20,beam=2."""

import re
from dataclasses import dataclass
from typing import Any

from device_models.interface.image import DT_S

from ..errors import UsageError

SHAPE = re.compile(r"(?P<s>[0-9.]+) ?s|cycle=(?P<cycle>\d+)|mu=(?P<mu>[0-9.]+)(?:,beam=(?P<beam>\d+))?")


@dataclass(frozen=True, slots=True)
class Instant:
    """A cycle, or true MU of the field in hand."""

    cycle: int | None = None
    mu: float | None = None
    beam: int | None = None

    def reached(self, sim: Any) -> bool:
        """By a machine as it stands now."""
        if self.cycle is not None:
            return int(sim.engine.cycle) >= self.cycle
        job, mu = sim.control.job[0], float(sim.plant.beam["true_mu"][0])
        this = job["slot"] >= 0 and self.beam in (None, int(job["beam_number"]))
        return bool(this and self.mu is not None and mu + job["mu_offset"] >= self.mu)


def parse_instant(text: str) -> Instant:
    """UsageError for anything else."""
    found = SHAPE.fullmatch(text.strip())
    try:
        if found and found["s"]:
            return Instant(cycle=round(float(found["s"]) / DT_S))
        if found and found["cycle"]:
            return Instant(cycle=int(found["cycle"]))
        if found:
            return Instant(mu=float(found["mu"]), beam=int(found["beam"]) if found["beam"] else None)
    except ValueError:
        pass
    raise UsageError(f"--until {text!r}: write it like 12.3s, cycle=1230, mu=20 or mu=20,beam=2")
