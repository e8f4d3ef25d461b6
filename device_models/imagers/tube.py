"""The kV tube: what may be asked of it, how warm its anode is, and how much really comes out."""

import math
from dataclasses import dataclass

from device_models.patient.chance import normals

from .config import TubeConfig
from .errors import ExposureRefused

KHU_PER_KJ = 1.35  # 1 J at a ripple-free generator is 1.35 heat units [R]


@dataclass(frozen=True, slots=True)
class Technique:
    """One exposure."""

    kv: float
    ma: float
    ms: float

    @property
    def mas(self) -> float:
        """Charge."""
        return self.ma * self.ms * 1e-3

    @property
    def kj(self) -> float:
        """Into the anode."""
        return self.kv * self.mas * 1e-3


@dataclass(slots=True)
class Tube:
    """The anode remembers. `broken` is where a fault writes: 1.0 gives no output."""

    config: TubeConfig
    seed: int
    heat_kj: float = 0.0
    heat_at_s: float = 0.0
    output: float = 1.0  # true over nominal output
    broken: float = 0.0

    @property
    def heat_khu(self) -> float:
        """As a console shows it."""
        return KHU_PER_KJ * self.heat_kj

    def heat_then(self, time_s: float) -> float:
        """kJ in the anode at a later time, if nothing is exposed."""
        return self.heat_kj * math.exp(-max(0.0, time_s - self.heat_at_s) / self.config.cooling_s)

    def expose(self, technique: Technique, time_s: float, number: int) -> float:
        """Heats the anode; returns the mAs that really came, as a share of the nominal. ExposureRefused says why not."""
        self.check(technique)
        heat = self.heat_then(time_s)
        if not heat + technique.kj <= self.config.anode_kj:
            wait = self.config.cooling_s * math.log(heat / max(1e-9, self.config.anode_kj - technique.kj))
            raise ExposureRefused(
                f"kV tube: anode at {heat:.0f} kJ ({KHU_PER_KJ * heat:.0f} kHU), {technique.kj:.1f} kJ more would pass its "
                f"{self.config.anode_kj:.0f} kJ; wait {wait:.0f} s", "heat"
            )
        self.heat_kj, self.heat_at_s = heat + technique.kj, time_s
        luck = float(normals(self.seed, f"kV output {number}", 1)[0])
        return (1.0 - self.broken) * self.output * (1.0 + self.config.output_jitter * luck)

    def check(self, technique: Technique) -> None:
        """Ranges and load, before anything is on."""
        config = self.config
        limits = (config.kv_range, config.ma_range, config.ms_range)
        for what, value, (low, high) in zip(("kV", "mA", "ms"), (technique.kv, technique.ma, technique.ms), limits):
            if not low <= value <= high:
                raise ExposureRefused(f"kV tube: {value:g} {what} asked, {low:g} to {high:g} {what} is possible")
        load_kw = technique.kv * technique.ma * 1e-3
        if not load_kw <= self.config.power_kw:
            raise ExposureRefused(f"kV tube: {load_kw:.1f} kW asked, {self.config.power_kw:g} kW is the most; lower kV or mA",
                                  "power")
