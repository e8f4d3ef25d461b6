"""The independent channel, its watchdog, latches and inputs: what must be found before it is needed."""

from ..action import Act, Action, Alter, Link, Process, Wire, Write
from ..behaviour import Behaviour
from .mode import Choice, Demand, Given, Mode, Place, Range
from .parts import BEAM_OFF_STOP

TOO_LONG_CYCLES = 500.0  # 5 s in place of 50 ms
HEARTBEAT_BIT, ESTOP_BIT = 4.0, 16.0  # of the channel's comparators
CYCLE_MS = 10.0


def watchdog(given: Given, place: Place) -> tuple[Action, ...]:
    """Its comparator is dead, its limit is far too long, or the relay behind it is welded."""
    found: dict[str, tuple[Action, ...]] = {
        "disabled": (Write("plant.safety.dead", HEARTBEAT_BIT),),
        "too_long": (Write("plant.safety.silence_limit", TOO_LONG_CYCLES),),
        "output_stuck": (Write("plant.safety.stuck_permit", 1.0),),
    }
    return found[str(given["kind"])]


def channel(given: Given, place: Place) -> tuple[Action, ...]:
    """It says nothing any more, its yes stays, or all it says is late."""
    found: dict[str, tuple[Action, ...]] = {
        "dead": (Write("plant.nodes[safety].silent", 1.0), Write("plant.safety.supplied", 0.0)),
        "stuck_permit": (Write("plant.safety.stuck_permit", 1.0),),
        "slow": (Link("safety", "in", Behaviour.DELAY, cycles=max(1, round(float(given["slow_ms"]) / CYCLE_MS))),),
    }
    return found[str(given["kind"])]


def zombie(given: Given, place: Place) -> tuple[Action, ...]:
    """The loop hangs, and something repeats the answers that it last gave."""
    return (Process("freeze"), Wire("safety.response", Behaviour.REPLAY, cycles=5))


INPUTS: dict[str, Action] = {
    "door": Write("plant.room.door_stuck", 1.0), "enable_bar": Write("plant.room.bar_stuck", 1.0),
    "touchguard": Write("plant.room.guard_stuck", 1.0), "estop": Write("plant.safety.dead", ESTOP_BIT),
}


def stuck_ok(given: Given, place: Place) -> tuple[Action, ...]:
    """One contact, or one comparator, says that all is well whatever happens."""
    return (INPUTS[str(given["input"])],)


def latch(given: Given, place: Place) -> tuple[Action, ...]:
    """The door opens, and the latch that this makes is gone again without a reset."""
    door = Alter("act_for", {"do": "open_door", "undo": "close_door", "ms": 1000.0})
    return (Alter("latch_lost", {"cause": given["cause"]}), door)


def spurious(given: Given, place: Place) -> tuple[Action, ...]:
    """An input that says no for a moment, for no reason: as often as the fault's duration is repeated."""
    return (Wire(f"room.{given['input']}", Behaviour.OFF),)


def disagree(given: Given, place: Place) -> tuple[Action, ...]:
    """The channel's own yes falls, for a reason that only it knows."""
    return (Write("plant.safety.loaded", 0.0),)


def bypass(given: Given, place: Place) -> tuple[Action, ...]:
    """The plug is there, whichever protection it was fitted for."""
    return (Act("fit_bypass", "remove_bypass"),)


def stops_for_nothing(given: Given) -> Demand:
    """It may, safely and with a name: what is counted is that it was for nothing."""
    return "either"


def may_wait(given: Given) -> Demand:
    """One of two contacts is noticed when the other one moves."""
    return "react" if given["input"] == "estop" else "either"


CHANNEL_ROWS = ("PERMIT_DIS", "PERMIT_READY", "WDG", "LIMITS_LOADED", "ECHO_MISMATCH", "DATA_STALE", "DATA_LOST")
MODES = (
    Mode("SAF-01", 1, "safety_chain", "watchdog", "does_not_fire", "a controller that is gone would no longer stop the beam",
         ("idle",), "S4", ("SELFTEST",), ("prevent_start",), "at_start", watchdog,
         {"kind": Choice(("disabled", "too_long", "output_stuck"))}, activation="latent", source="ISO 26262, latent faults"),
    Mode("SAF-02", 1, "safety_chain", "safety_channel", "dead_or_stuck_permit", "one of the two deciders is gone or late",
         (), "S4", (*CHANNEL_ROWS, "SELFTEST"), BEAM_OFF_STOP, "time", channel,
         {"kind": Choice(("dead", "stuck_permit", "slow")), "slow_ms": Range(20, 500, 100)},
         max_detection_ms=60, max_reaction_ms=10, max_mu=0.8, source="own judgement"),
    Mode("SAF-03", 1, "safety_chain", "heartbeat", "zombie_heartbeat", "the loop hangs while something keeps the heartbeat going",
         (), "S4", ("WDG", "TASK_ALIVE"), BEAM_OFF_STOP, "time", zombie,
         max_detection_ms=60, max_reaction_ms=10, max_mu=0.8, source="own judgement"),
    Mode("SAF-04", 2, "safety_chain", "interlock_input", "stuck_ok", "one input of a protection can only say yes",
         ("idle",), "S3", ("SELFTEST", "DOOR_DIS", "INPUT_DIS", "TOUCH_DIS"), ("prevent_start",), "at_start", stuck_ok,
         {"input": Choice(tuple(INPUTS))}, activation="latent", source="Leveson and Turner 1993; ISO 26262",
         demand=may_wait),
    Mode("SAF-05", 1, "safety_chain", "interlock_latch", "cleared_without_reset", "a latch falls without anybody having reset it",
         ("beam_on", "hold"), "S4", ("LATCH_DIS", "DOOR", "DOOR_CHAIN"), ("beam_off",), "time", latch,
         {"cause": Choice(("cause_gone", "glitch", "restart", "other_reset"))}, max_detection_ms=20, max_reaction_ms=10,
         max_mu=0.4, limits=("mu_after_eff <= 0",), activation="transient", source="Leveson and Turner 1993"),
    Mode("SAF-06", 2, "safety_chain", "interlock_input", "spurious_trip", "an input says no for a moment, for no reason",
         (), "S2", ("DOOR", "DOOR_CHAIN", "DOOR_OPEN", "TOUCHGUARD", "ESTOP", "POWER", "KEY"), ("none",), "never", spurious,
         {"input": Choice(("touchguard_ok", "door_closed", "estop_ok", "mains_ok", "key_on")), "rate_per_h": Range(0.1, 60, 6)},
         activation="intermittent", source="Leveson and Turner 1993", demand=stops_for_nothing),
    Mode("SAF-07", 2, "safety_chain", "permit", "channels_disagree", "the channel says no while the controller says yes",
         ("arm", "beam_on"), "S4", CHANNEL_ROWS, ("beam_off",), "time", disagree, {"dur_ms": Range(1, 1000, 100)},
         max_detection_ms=10, max_reaction_ms=5, max_mu=0.2, activation="transient", source="own judgement"),
    Mode("SAF-08", 2, "safety_chain", "bypass", "left_active", "a bypass was left in from the time before",
         ("idle", "arm"), "S4", ("BYPASS",), ("prevent_start",), "before_beam", bypass,
         {"key": Choice(("door", "collision", "dose"))}, source="AAPM TG-35"),
)
