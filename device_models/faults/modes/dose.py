"""Dose: chambers, counters, presets and timers that are not what they should be."""

from ...interface.image import SafetyOpen
from ..action import Action, Wire, Write
from ..behaviour import Behaviour
from .mode import Choice, Demand, Given, Mode, Place, Range
from .parts import always_says, number, word

MOST_MU = 10_000.0
PULSES_PER_S = 360.0
COUNT_MU = 0.001
SHORTER = {8: 2.0**8, 16: 2.0**16, 32: 2.0**32}  # counts that a counter of so many bits holds
IN_RATE = 0.9  # a dose that pulses do not explain by a tenth trips


def mu1_dead(given: Given, place: Place) -> tuple[Action, ...]:
    """Chamber 1 collects nothing more, or its counter says nothing, or as much as it can."""
    value = word(given, "value")
    if value == "last":
        return (Write("plant.chambers[0].gain", 0.0),)
    return (Wire("beam.mu_1", Behaviour.OFF),) if value == "0" else (always_says("beam.mu_1", MOST_MU),)


def mu1_gain(given: Given, place: Place) -> tuple[Action, ...]:
    """Chamber 1 reads a share of what it should."""
    return (Write("plant.chambers[0].gain", number(given, "gain")),)


def five_percent(given: Given) -> Demand:
    """The two channels may be 5 % apart."""
    return "react" if abs(1.0 - 1.0 / max(number(given, "gain"), 1e-6)) > 0.07 else "either"


def until_a_mu(given: Given) -> float:
    """At 10 MU/s, until the channels are 1 MU apart."""
    return 100.0 / max(abs(1.0 - number(given, "gain")), 1e-3)


def mu2_gain(given: Given, place: Place) -> tuple[Action, ...]:
    """Chamber 2 is dead or reads less."""
    return (Write("plant.chambers[1].gain", number(given, "gain")),)


def both_low(given: Given, place: Place) -> tuple[Action, ...]:
    """Both chambers read less, for one cause: their voltage, what they share, or pulses that are too large for them."""
    gain, cause = number(given, "gain"), word(given, "cause")
    if cause == "hv_supply":
        return tuple(Write(f"plant.chambers[{i}].hv_v", 300.0 * gain) for i in (0, 1))
    return tuple(Write(f"plant.chambers[{i}].gain", gain) for i in (0, 1))


def a_tenth(given: Given) -> Demand:
    """The pulses give them away beyond a tenth; less than that the second channel bounds."""
    return "react" if number(given, "gain") < IN_RATE - 0.03 or word(given, "cause") == "hv_supply" else "either"


def cross_wired(given: Given, place: Place) -> tuple[Action, ...]:
    """The second counter hangs on the first chamber: the channels always agree."""
    return (Write("plant.beam.cross_talk", 1.0),)


def two_are_left(given: Given) -> Demand:
    """Both chambers are right; the fault is that the next one is not seen by this comparison."""
    return "either"


def counter_wraps(given: Given, place: Place) -> tuple[Action, ...]:
    """The first counter begins again, or goes below zero."""
    value = word(given, "value")
    if value == "wrap":
        return (Wire("beam.mu_1", Behaviour.WRAP, SHORTER[int(number(given, "width_bits"))] * COUNT_MU),)
    return (Wire("beam.mu_1", Behaviour.OFF if value == "0" else Behaviour.GAIN, -1.0),)


def long_enough(given: Given) -> Demand:
    """A counter that is long enough for the field does not wrap."""
    short = word(given, "value") != "wrap" or number(given, "width_bits") == 8
    return "react" if short else "either"


def spurious(given: Given, place: Place) -> tuple[Action, ...]:
    """The first counter counts what is not there."""
    return (Wire("beam.mu_1", Behaviour.DRIFT, number(given, "extra_mu_per_s")),)


def until_too_much(given: Given) -> float:
    """Until 1 MU is there that is not."""
    return 1000.0 / number(given, "extra_mu_per_s")


def seen_in_the_field(given: Given) -> Demand:
    """What takes longer than the field is below what the channels may be apart."""
    return "react" if number(given, "extra_mu_per_s") > 1.0 else "either"


def wrong_preset(given: Given, place: Place) -> tuple[Action, ...]:
    """The second channel has another preset in force than it was sent."""
    wire = "safety.preset_mu"
    kinds: dict[str, Action] = {
        "previous": Write("plant.safety.keeps_limits", 1.0), "0": Wire(wire, Behaviour.OFF), "max": always_says(wire, MOST_MU),
        "other_field": Wire(wire, Behaviour.BIAS, 7.0),
    }
    return (kinds[word(given, "preset")],)


def no_end(given: Given, place: Place) -> tuple[Action, ...]:
    """The first channel reaches its dose and nothing ends: the permit, and the rate with it, stay as they are on the wire."""
    return Wire("beam.permit", Behaviour.FREEZE), Wire("beam.rate_mu_per_s", Behaviour.FREEZE)


def timer(given: Given, place: Place) -> tuple[Action, ...]:
    """The backup timer's comparator is dead, its clock is slow, or its limit is nothing."""
    kinds: dict[str, Action] = {
        "dead": Write("plant.safety.dead", float(SafetyOpen.TIMER)), "x10": Write("plant.safety.timer_rate", 0.1),
        "zero": Wire("safety.time_limit_s", Behaviour.OFF),
    }
    return (kinds[word(given, "kind")],)


def mu_lost(given: Given, place: Place) -> tuple[Action, ...]:
    """Both counters have lost what was given before the interruption."""
    lost = -number(given, "lost_mu")
    return Wire("beam.mu_1", Behaviour.BIAS, lost), Wire("beam.mu_2", Behaviour.BIAS, lost)


def saturation(given: Given, place: Place) -> tuple[Action, ...]:
    """Pulses are huge, and both chambers say no more than they can."""
    most = number(given, "sat_rate_mu_per_s") / PULSES_PER_S
    huge = Write("plant.beam.pulse_factor", number(given, "pulse_factor"))
    return (huge, *(Write(f"plant.chambers[{i}].most_mu_per_pulse", most) for i in (0, 1)))


MODES = (
    Mode("DOS-01", 1, "dose", "mu1", "dead_or_frozen", "chamber 1 or its counter is dead", ("beam_on",), "S4",
         ("MU_DIS", "DOSE_RATE_LO"), ("beam_off",), "time", mu1_dead, {"value": Choice(("last", "0", "max"))},
         max_detection_ms=120, max_reaction_ms=5, max_mu=1.4, source="Leveson 1993; IEC"),
    Mode("DOS-02", 1, "dose", "mu1", "gain_low", "chamber 1 reads too little", ("beam_on",), "S4", ("MU_DIS",), ("beam_off",),
         "time", mu1_gain, {"gain": Range(0.5, 0.99, 0.7)}, max_detection_ms=3000, max_reaction_ms=5,
         limits=("excess_mu <= max(1.5, 0.06 P)",), source="Loyd 1989; IEC", demand=five_percent, onset_ms=until_a_mu),
    Mode("DOS-03", 2, "dose", "mu1", "gain_high", "chamber 1 reads too much", ("beam_on",), "S3", ("MU_DIS",), ("beam_off",),
         "time", mu1_gain, {"gain": Range(1.01, 2.0, 1.4)}, max_detection_ms=3000, max_reaction_ms=5,
         limits=("deficit_mu <= max(1.5, 0.06 P)",), source="Loyd 1989", demand=five_percent, onset_ms=until_a_mu),
    Mode("DOS-04", 1, "dose", "mu2", "dead_frozen_or_low", "chamber 2 is dead or reads too little", ("arm", "beam_on"), "S4",
         ("MU_DIS", "DOSE_SELFTEST"), ("beam_off",), "time", mu2_gain, {"gain": Range(0.0, 0.9, 0.0)}, max_detection_ms=120,
         max_reaction_ms=5, max_mu=1.4, activation="latent", source="IEC", onset_ms=until_a_mu),
    Mode("DOS-05", 1, "dose", "mu1+mu2", "common_mode_under_read", "both chambers read too little, and agree", ("beam_on",),
         "S4", ("DOSE_HV", "RATE_PLAUS", "DOSE_TIMER"), ("beam_off",), "time", both_low,
         {"gain": Range(0.1, 0.95, 0.5), "cause": Choice(("gas", "hv_supply", "shared_adc", "shared_cal"))},
         max_detection_ms=500, max_reaction_ms=5, limits=("excess_mu <= max(5, 0.1 P)",), source="IAEA 1180; Leveson 1993",
         demand=a_tenth),
    Mode("DOS-06", 2, "dose", "mu1+mu2", "cross_wired", "the second counter hangs on the first chamber", ("arm",), "S4",
         ("DOSE_SELFTEST",), ("prevent_start",), "before_beam", cross_wired, activation="latent", source="25 Pa. Code 228.66",
         demand=two_are_left),
    Mode("DOS-07", 1, "dose", "mu_counter", "wrap_or_reset", "the first counter begins again", ("beam_on", "hold"), "S4",
         ("MU_MONO", "MU_DIS"), ("beam_off",), "time", counter_wraps,
         {"value": Choice(("0", "wrap", "negative")), "width_bits": Choice((8, 16, 32))}, max_detection_ms=20,
         max_reaction_ms=5, max_mu=0.3, activation="transient", source="Leveson 1993; 25 Pa. Code 228.66", demand=long_enough),
    Mode("DOS-08", 3, "dose", "mu1", "spurious_counts", "the first counter counts what is not there", ("beam_on", "arm"), "S2",
         ("MU_DIS", "RAD_WHEN_OFF"), ("beam_off",), "time", spurious, {"extra_mu_per_s": Range(0.1, 50.0, 5.0)},
         max_detection_ms=200, max_reaction_ms=5, max_mu=2.3, limits=("deficit_mu <= max(1.5, 0.06 P)",),
         activation="intermittent", demand=seen_in_the_field, onset_ms=until_too_much),
    Mode("DOS-09", 1, "dose", "dose_card", "preset_not_loaded_or_old",
         "the second channel has another preset than it was sent", ("setup", "arm"), "S4", ("ECHO_MISMATCH", "RX_HASH"),
         ("prevent_start",), "before_beam", wrong_preset, {"preset": Choice(("previous", "0", "max", "other_field"))},
         source="IAEA 1180; Leveson 1993"),
    Mode("DOS-10", 1, "dose", "dose_card", "mu1_comparator_stuck", "the first channel's end of dose does not act",
         ("beam_on",), "S4", ("MU2_TERM", "MU1_LATE"), ("beam_off",), "time", no_end, max_detection_ms=20, max_reaction_ms=5,
         max_mu=0.3, limits=("excess_mu <= max(1.0, min(0.05 P, 10))",), activation="latent", source="IEC"),
    Mode("DOS-11", 2, "dose", "dose_timer", "dead_or_wrong_setting", "the backup timer is dead, slow, or its limit is nothing",
         ("arm", "beam_on"), "S3", ("SELFTEST", "TIMER_DIS"), ("prevent_start",), "before_beam", timer,
         {"kind": Choice(("dead", "x10", "zero"))}, activation="latent", source="IEC; Oregon 333-123-0075"),
    Mode("DOS-12", 1, "dose", "mu_record", "mu_lost_at_interruption",
         "both counters lose what was given before an interruption", ("hold", "resume"), "S4", ("RECOVERY", "MU_MONO"),
         ("prevent_start",), "before_beam", mu_lost, {"lost_mu": Range(0.1, 100.0, 5.0)}, limits=("total_mu <= P + 1.0",),
         activation="transient", source="25 Pa. Code 228.66"),
    Mode("DOS-13", 1, "dose", "mu1+mu2", "chamber_saturation", "pulses are huge, and both chambers say no more than they can",
         ("beam_on",), "S4", ("DOSE_RATE_HI", "RATE_PLAUS", "MODE", "MU_DIS"), ("beam_off",), "time", saturation,
         {"sat_rate_mu_per_s": Range(5.0, 60.0, 10.0), "pulse_factor": Range(2.0, 40.0, 10.0)}, max_detection_ms=20,
         max_reaction_ms=5, max_mu=0.3, source="Leveson 1993"),
)
