"""One mode of the catalogue: what can be set, where it bites, what has to happen then."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..action import Action
from ..errors import FaultError, nearest
from ..fault import Phase

Setting = float | str
Reaction = Literal["none", "prevent_start", "prevent_motion", "beam_hold", "beam_off", "motion_stop", "kv_off"]
Demand = Literal["react", "either", "nothing"]  # what the right machine does: it has to, may, or must not react
DetectBy = Literal["time", "before_beam", "before_motion", "at_load", "at_start", "never"]


@dataclass(frozen=True, slots=True)
class Range:
    """A number between two bounds, both allowed."""

    low: float
    high: float
    usual: float
    whole: bool = False

    def check(self, name: str, value: Any) -> Setting:
        """The value as a number; FaultError outside."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            raise FaultError(f"{name}: {value!r}, not from {self.low:g} to {self.high:g}")
        if self.whole and value != int(value):
            raise FaultError(f"{name}: {value!r} is no whole number")
        return value

    def sizes(self, n: int = 3) -> tuple[Setting, ...]:
        """n values over the range: geometric where both bounds have one sign, else even."""
        if self.low > 0:
            found = [self.low * (self.high / self.low) ** (i / (n - 1)) for i in range(n)]
        else:
            found = [self.low + (self.high - self.low) * i / (n - 1) for i in range(n)]
        return tuple(dict.fromkeys(float(round(x)) if self.whole else float(f"{x:.6g}") for x in found))


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words or numbers; the first is the usual one."""

    values: tuple[Setting, ...]

    @property
    def usual(self) -> Setting:
        """Taken when nothing is said."""
        return self.values[0]

    def check(self, name: str, value: Any) -> Setting:
        """The value; FaultError for one that is not offered."""
        found = [v for v in self.values if v == value or str(v) == str(value)]  # a file may say -0.0 and mean the word
        if not found:
            raise FaultError(f"{name}: {value!r}{nearest(str(value), [str(v) for v in self.values])}")
        return found[0]

    def sizes(self, n: int = 3) -> tuple[Setting, ...]:
        """All of them, whatever n."""
        return self.values


@dataclass(frozen=True, slots=True)
class Place:
    """What a mode may ask about the session when it makes its actions."""

    leaves: int  # both banks
    seed: int
    links: tuple[str, ...]  # devices behind real lines
    imaging: bool
    kv_arms: int = 2


Given = Mapping[str, Setting]  # all settings of a mode, settled


def always(given: Given) -> Demand:
    """Whatever the settings, the machine has to react."""
    return "react"


def never(given: Given) -> Demand:
    """Whatever the settings, the machine must not react: a control case."""
    return "nothing"


def at_once(given: Given) -> float:
    """From t_eff on the deviation is beyond what is allowed."""
    return 0.0


@dataclass(frozen=True, slots=True)
class Mode:
    """A row of the catalogue. Times from t_eff; doses at 600 MU/min, to be scaled with the rate."""

    id: str
    tier: int
    layer: str
    device: str
    name: str
    what: str  # one line: what happens to the machine
    phases: tuple[Phase, ...]  # where it bites; empty = any
    severity: str  # S1 .. S4
    expected: tuple[str, ...]  # any of these interlocks may be the first-out; reported, not judged
    reaction: tuple[Reaction, ...]  # the least that has to happen
    detect_by: DetectBy
    actions: Callable[[Given, Place], tuple[Action, ...]]
    settings: Mapping[str, Range | Choice] = field(default_factory=dict)
    max_detection_ms: float | None = None
    max_reaction_ms: float | None = None
    max_mu: float | None = None  # true MU after t_eff
    limits: tuple[str, ...] = ()  # further bounds: "miss_mm <= 1.0", "excess_mu <= 2.0"
    activation: Literal["permanent", "transient", "intermittent", "latent"] = "permanent"
    needs: tuple[str, ...] = ()  # "imaging", "kv_arms": sessions and machines without cannot have it
    source: str = ""
    demand: Callable[[Given], Demand] = always  # small sizes need not, or must not, be reacted to
    onset_ms: Callable[[Given], float] = at_once  # from t_eff until the deviation is what may not be; detection counts from there

    @property
    def control_case(self) -> bool:
        """The right machine does nothing."""
        return self.reaction == ("none",)

    def settle(self, given: Mapping[str, Any]) -> dict[str, Setting]:
        """All settings, the usual ones where nothing is given; FaultError for a wrong one."""
        for name in given:
            if name not in self.settings:
                raise FaultError(f"{self.id}: no setting {name!r}{nearest(name, list(self.settings))}")
        return {name: kind.check(f"{self.id} {name}", given.get(name, kind.usual)) for name, kind in self.settings.items()}
