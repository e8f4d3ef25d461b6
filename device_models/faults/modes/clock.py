"""Clocks: of devices, of the second channel, of the controller's process."""

from ..action import Action, Alter, Process, Wire, Write
from ..behaviour import Behaviour
from .mode import Choice, Demand, Given, Mode, Place, Range, never
from .parts import BEAM_OFF_STOP, number, word

CYCLES_PER_S = 100.0
DEVICE = Choice(("mlc", "gantry", "couch", "beam", "safety", "room"))


def wall_clock(given: Given, place: Place) -> tuple[Action, ...]:
    """Somebody, or some service, sets the clock of the computer."""
    return (Alter("wall_clock", {"delta_s": number(given, "delta_s")}),)


def monotonic(given: Given, place: Place) -> tuple[Action, ...]:
    """The clock of the controller stands still: nothing of it runs, and what comes after is late."""
    return (Process("freeze"),)


def dose_timer(given: Given, place: Place) -> tuple[Action, ...]:
    """The clock of the second channel goes at another rate."""
    return (Write("plant.safety.timer_rate", 1.0 + number(given, "pct") / 100.0),)


def in_this_field(given: Given) -> Demand:
    """A second apart trips: 5 s of beam at 20 %."""
    return "either"


def until_a_second(given: Given) -> float:
    """Beam-on time until the timers are a second apart."""
    return 100_000.0 / max(abs(number(given, "pct")), 1e-3)


def device_clock(given: Given, place: Place) -> tuple[Action, ...]:
    """The clock of a device is off, and goes on going off."""
    path = f"nodes[{word(given, 'device')}].sampled_cycle"
    off = round(number(given, "offset_ms") / 1000.0 * CYCLES_PER_S)
    drift = number(given, "drift_ppm") * 1e-6 * CYCLES_PER_S
    return (Wire(path, Behaviour.BIAS, float(off)), *((Wire(path, Behaviour.DRIFT, drift),) if drift else ()))


def off_enough(given: Given) -> Demand:
    """A reading may be two cycles old."""
    return "react" if abs(number(given, "offset_ms")) >= 35.0 else "either"


MODES = (
    Mode("CLK-01", 1, "clock", "wall_clock", "jump", "the clock of the computer is set", (), "S3", ("CLOCK",), ("none",),
         "never", wall_clock, {"delta_s": Choice((-3600.0, -86400.0, -60.0, -1.0, 1.0, 60.0, 3600.0, 86400.0))},
         activation="transient", demand=never),
    Mode("CLK-02", 1, "clock", "monotonic_clock", "freeze_or_step", "the clock of the controller stands still", (), "S4",
         ("CLOCK", "WDG"), BEAM_OFF_STOP, "time", monotonic, max_detection_ms=60, max_reaction_ms=10, max_mu=0.8,
         activation="transient"),
    Mode("CLK-03", 2, "clock", "dose_timer", "rate_error", "the second channel's clock goes at another rate", ("beam_on",),
         "S3", ("TIMER_DIS", "DOSE_TIMER"), ("beam_off",), "time", dose_timer, {"pct": Range(-20.0, 20.0, -20.0)},
         max_detection_ms=2000, max_reaction_ms=10, limits=("excess_mu <= 2.0",), source="IEC", demand=in_this_field,
         onset_ms=until_a_second),
    Mode("CLK-04", 2, "clock", "device_clock", "desync", "the clock of a device is off", ("imaging", "beam_on"), "S3",
         ("CLOCK", "DATA_STALE"), ("beam_hold",), "time", device_clock,
         {"device": DEVICE, "offset_ms": Range(-500.0, 500.0, -200.0), "drift_ppm": Range(-500.0, 500.0, 0.0)},
         max_detection_ms=200, max_reaction_ms=10, max_mu=2.4, limits=("mu_angle_err_mu <= 1.0",), demand=off_enough),
)
