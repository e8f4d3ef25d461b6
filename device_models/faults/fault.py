"""A fault of a schedule: what, when, for how long. Plain values; a schedule file has the same shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from .errors import FaultError, nearest

Phase = Literal["idle", "load", "setup", "imaging", "registration", "approve", "shift", "arm", "beam_on", "hold", "resume",
                "terminate", "record"]
PHASES: tuple[Phase, ...] = get_args(Phase)
After = Literal["injected", "effective", "cleared"]
CHOICES = ("at_s", "phase", "mu", "mu_percent", "control_point", "gantry_deg", "message", "truth", "fault")


@dataclass(frozen=True, slots=True)
class When:
    """The moment a fault begins: exactly one of the first nine, `after_s` later.

    Equal moments are the very same cycle, so several faults can coincide exactly.
    """

    at_s: float | None = None  # of machine time
    phase: Phase | None = None  # entered
    mu: float | None = None  # true MU of the field
    mu_percent: float | None = None  # of the field's prescription
    control_point: int | None = None  # reached by the delivery
    gantry_deg: float | None = None  # passed by the true gantry
    message: int | None = None  # n-th frame of the device `link`, its cycles counted from the beginning
    truth: str | None = None  # "plant.beam.true_mu >= 12.5"
    fault: str | None = None  # id of another fault
    event: After = "injected"  # of that fault
    after_s: float = 0.0
    beam: int | None = None  # with mu, control_point, gantry_deg, phase: only in this beam
    link: str | None = None  # with message

    def __post_init__(self) -> None:
        given = [name for name in CHOICES if getattr(self, name) is not None]
        if len(given) != 1:
            raise FaultError(f"when: give exactly one of {', '.join(CHOICES)}, not {', '.join(given) or 'none'}")
        if self.phase is not None and self.phase not in PHASES:
            raise FaultError(f"when.phase: {self.phase!r} is no phase{nearest(self.phase, list(PHASES))}")
        if self.event not in get_args(After):
            raise FaultError(f"when.event: {self.event!r}; there are {', '.join(get_args(After))}")
        if not 0.0 <= self.after_s < 1e6:
            raise FaultError(f"when.after_s: {self.after_s} s, not from 0 to 1e6")
        if (self.message is None) != (self.link is None):
            raise FaultError("when: message and link go together: the n-th frame of which device?")


@dataclass(frozen=True, slots=True)
class Lasts:
    """How long: for good, for one cycle, for so many seconds, or until so many MU more; again and again with `every_s`."""

    blip: bool = False
    s: float | None = None
    mu: float | None = None
    every_s: float | None = None
    times: int | None = None

    def __post_init__(self) -> None:
        if sum((self.blip, self.s is not None, self.mu is not None)) > 1:
            raise FaultError("lasts: give one of blip, s, mu; none = for good")
        for name, value in (("s", self.s), ("mu", self.mu), ("every_s", self.every_s)):
            if value is not None and not 0.0 < value < 1e6:
                raise FaultError(f"lasts.{name}: {value}, not above 0 and below 1e6")
        if self.every_s is not None and self.permanent:
            raise FaultError("lasts.every_s: a fault that lasts for good cannot come again; give blip or s too")
        if self.every_s is not None and self.s is not None and self.s >= self.every_s:
            raise FaultError(f"lasts: {self.s} s every {self.every_s} s would never be gone in between")

    @property
    def permanent(self) -> bool:
        """Until somebody clears it."""
        return not self.blip and self.s is None and self.mu is None


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong: a mode of the catalogue, any wire, or any parameter."""

    id: str
    when: When
    mode: str | None = None
    set: Mapping[str, Any] = field(default_factory=dict)  # settings of the mode; those left out take their usual value
    signal: str | None = None
    behaviour: str | None = None
    size: float = 0.0
    size_2: float = 0.0
    cycles: int = 0
    chance: float = 1.0
    other: str = ""
    parameter: str | None = None
    value: float | None = None
    lasts: Lasts = Lasts()

    def __post_init__(self) -> None:
        given = [name for name in ("mode", "signal", "parameter") if getattr(self, name) is not None]
        if len(given) != 1:
            raise FaultError(f"fault {self.id!r}: give exactly one of mode, signal, parameter, not {', '.join(given) or 'none'}")
        if (self.signal is None) != (self.behaviour is None) or (self.parameter is None) != (self.value is None):
            raise FaultError(f"fault {self.id!r}: a signal needs a behaviour, a parameter needs a value")
        if self.set and self.mode is None:
            raise FaultError(f"fault {self.id!r}: `set` is for modes")
        if not 0.0 < self.chance <= 1.0 or not 0 <= self.cycles <= 10_000:
            raise FaultError(f"fault {self.id!r}: chance {self.chance} (above 0, up to 1) or cycles {self.cycles} (0 to 10000)")
