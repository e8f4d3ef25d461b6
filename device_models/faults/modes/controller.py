"""The controller itself: its process, tasks, memory, counters, and things that happen to it in the same cycle."""

from ..action import Act, Action, Alter, Memory, Process, Wire
from ..behaviour import Behaviour
from .mode import Choice, Demand, Given, Mode, Place, Range, never
from .parts import BEAM_OFF_STOP, beyond, word

CYCLE_MS = 10.0
STOP = Act("press_stop")


def in_cycles(ms: float | str) -> int:
    """Whole ones, at least one."""
    return max(1, round(float(ms) / CYCLE_MS))


def kill(given: Given, place: Place) -> tuple[Action, ...]:
    """However it ended: from the next cycle on nothing is said."""
    return (Process("kill"),)


def hang(given: Given, place: Place) -> tuple[Action, ...]:
    """Whatever it waits for: loop and cycle are one, so both stand still."""
    return (Process("freeze"),)


def pause(given: Given, place: Place) -> tuple[Action, ...]:
    """Away for so long, and back with what it knew before."""
    return (Process("freeze", in_cycles(given["dur_ms"])),)


def overrun(given: Given, place: Place) -> tuple[Action, ...]:
    """Cycles that take longer; three in a row are three in a row however long each was."""
    return (Process("slow", in_cycles(given["extra_ms"])), Alter("late_cycles", {"streak": given["in_a_row"]}))


CHECKS = {"interlock": "MLC_POS", "dose": "MU_DIS"}


def task(given: Given, place: Place) -> tuple[Action, ...]:
    """A task that is gone without a word; checks are no tasks here, so one that is gone is one that is not evaluated."""
    name = str(given["task"])
    return (Process("skip_check", row=CHECKS[name]),) if name in CHECKS else (Alter("task_dies", {"task": name}),)


def cancelled(given: Given, place: Place) -> tuple[Action, ...]:
    """What waits is cancelled, or its time is over."""
    return (Alter("cancel", {"kind": given["kind"]}),)


def queued(given: Given, place: Place) -> tuple[Action, ...]:
    """A trip while nothing that hears of trips can run."""
    return (Alter("deaf", {"blocked_ms": given["blocked_ms"]}), STOP)


MEMORY: dict[str, Action] = {
    "state": Memory("control.job.phase", flip_bit=4), "mode": Wire("beam.mode", Behaviour.BIAS, 1.0),
    "latched_set": Memory("control.interlocks[GANTRY_DIS].tripped", flip_bit=0), "permit": Memory("control.job.permit", flip_bit=0),
}


def state_flip(given: Given, place: Place) -> tuple[Action, ...]:
    """One bit."""
    return (MEMORY[str(given["var"])],)


def counter(given: Given, place: Place) -> tuple[Action, ...]:
    """A counter shortly before the end of a word."""
    return (Alter("counters", {"width_bits": given["width_bits"], "below": given["start_below_max"], "counter": given["counter"]}),)


def skipped(given: Given, place: Place) -> tuple[Action, ...]:
    """A row that is not looked at, for as long as the fault lasts."""
    return (Process("skip_check", int(given["cycles"]), row=str(given["interlock"])),)


WORDS = {
    "mu": "control.job.mu_end", "angle": "control.trajectory.gantry[1, 0]", "leaf": "control.trajectory.mlc[1, {leaf}]",
    "couch": "control.couch[vertical].goal", "energy": "control.job.pulse_mu",
}


def setpoint_flip(given: Given, place: Place) -> tuple[Action, ...]:
    """One bit of what is to be delivered, after it was armed."""
    path = WORDS[str(given["field"])].format(leaf=place.leaves // 2 // 2)
    return (Memory(path, flip_bit=int(given["bit"])),)


def exhausted(given: Given, place: Place) -> tuple[Action, ...]:
    """The record is lost, or the process stands still for a while."""
    what = str(given["what"])
    if what in ("gc_pause", "memory"):
        return (Process("freeze", in_cycles(given["pause_ms"])),)
    return (Alter("record_fails", {"kind": {"disk_full": "disk"}.get(what, what)}),)


def restarted(given: Given, place: Place) -> tuple[Action, ...]:
    """A new process with what is on disk, which is `age_s` old."""
    return (Alter("restart", {"age_s": given["age_s"]}),)


def raises(given: Given, place: Place) -> tuple[Action, ...]:
    """A trip, and one part of what hears of it is broken."""
    return (Alter("handler_raises", {"where": given["where"]}), STOP)


def race(given: Given, place: Place) -> tuple[Action, ...]:
    """Cycles are the grid of this machine: within one, things happen at the same time."""
    skew = round(float(given["skew_us"]) / 1000.0 / CYCLE_MS)
    return (Alter("race", {"pair": given["pair"], "skew": float(skew)}),)


def three_in_a_row(given: Given) -> Demand:
    """One late cycle, or two, are for the log."""
    return "react" if float(given["in_a_row"]) >= 3.0 else "either"


def unless_healed(given: Given) -> Demand:
    """The permit is decided anew in every cycle, before anybody hears of it."""
    return "either" if word(given, "var") == "permit" else "react"


def may_be_small(given: Given) -> Demand:
    """A low bit is less than any tolerance."""
    return "either"


def trips_only(given: Given) -> Demand:
    """A hold at the end of a field has nothing left to hold."""
    return "either" if "hold" in word(given, "pair") else "react"


SILENCE_MS = 60.0  # from here on the other channel has to have noticed
PAIRS = ("trip+start", "trip+resume", "mu_reached+hold", "hold+resume", "reset+trip", "edit+start")
SKIPPED = ("MLC_POS", "GANTRY_POS", "MU_DIS", "MU1_LATE", "DOSE_RATE_HI", "DOOR", "ESTOP", "DATA_STALE", "EVAL_COUNT", "LATCH_DIS")
MODES = (
    Mode("CTL-01", 1, "controller", "controller", "kill", "the controller's process ends",
         (), "S4", ("WDG",), BEAM_OFF_STOP, "time", kill, {"signal": Choice(("SIGKILL", "SIGSEGV", "power"))},
         max_detection_ms=50, max_reaction_ms=10, max_mu=0.7, source="own judgement"),
    Mode("CTL-02", 1, "controller", "controller", "hang", "the controller stands still, and its process is there",
         (), "S4", ("WDG",), BEAM_OFF_STOP, "time", hang,
         {"what": Choice(("event_loop", "gil", "io", "deadlock"))}, max_detection_ms=50, max_reaction_ms=10, max_mu=0.7,
         source="own judgement"),
    Mode("CTL-03", 1, "controller", "controller", "pause_resume", "the controller stands still for a while, and goes on",
         (), "S4", ("WDG", "CYCLE_OVERRUN", "PERMIT_DIS"), BEAM_OFF_STOP, "time", pause,
         {"dur_ms": Range(5, 10_000, 200)}, max_detection_ms=50, max_reaction_ms=10, max_mu=0.7, activation="transient",
         source="Jepsen, pauses", demand=beyond("dur_ms", SILENCE_MS, 15.0)),
    Mode("CTL-04", 2, "controller", "controller", "cycle_overrun", "cycles take longer than they may",
         ("beam_on",), "S2", ("CYCLE_OVERRUN", "WDG"), ("beam_hold",), "time", overrun,
         {"extra_ms": Range(1, 200, 10), "p": Range(0.001, 0.5, 0.1), "in_a_row": Range(1, 20, 5, whole=True)},
         max_detection_ms=30, max_reaction_ms=10, max_mu=0.5, activation="intermittent", source="own judgement",
         demand=three_in_a_row),
    Mode("CTL-05", 1, "controller", "controller", "task_dies_silently", "a task of the controller is gone, and all else goes on",
         (), "S4", ("TASK_ALIVE", "EVAL_COUNT", "MLC_POS", "MLC_OFF", "GANTRY_POS", "COUCH_POS", "JAW_POS"),
         BEAM_OFF_STOP, "time", task,
         {"task": Choice(("gantry", "mlc", "couch", "beam", "interlock", "dose"))}, max_detection_ms=30, max_reaction_ms=20,
         max_mu=0.6, source="Leveson and Turner 1993"),
    Mode("CTL-06", 1, "controller", "controller", "cancellation_or_timeout_swallowed",
         "what waits is cancelled, or its time is over",
         ("arm", "beam_on", "shift"), "S4", ("TRANSITION_TIMEOUT", "TASK_ALIVE"), ("beam_off",), "time", cancelled,
         {"kind": Choice(("cancel", "timeout"))}, max_detection_ms=50, max_reaction_ms=10, max_mu=0.7, activation="transient",
         source="transitions 0.9.3, measured"),
    Mode("CTL-07", 1, "controller", "controller", "trip_waits_in_queue", "what hears of trips is busy when one comes",
         ("arm", "beam_on", "shift"), "S4", ("ABORT", "WDG", "TRIP_LATENCY"), ("beam_off",), "time", queued,
         {"blocked_ms": Range(20, 5000, 1000)}, max_detection_ms=20, max_reaction_ms=10, max_mu=0.4,
         source="transitions, queued machines, measured"),
    Mode("CTL-08", 2, "controller", "controller", "state_variable_corrupted", "a bit of the controller's state turns over",
         (), "S4", ("STATE_ILLEGAL", "LATCH_DIS", "MODE"), BEAM_OFF_STOP, "time", state_flip,
         {"var": Choice(("state", "mode", "latched_set", "permit"))}, max_detection_ms=20, max_reaction_ms=10, max_mu=0.4,
         activation="transient", source="own judgement", demand=unless_healed),
    Mode("CTL-09", 1, "controller", "controller", "counter_overflow", "a counter passes the end of a word",
         ("setup", "beam_on"), "S4", ("EVAL_COUNT",), ("none",), "never", counter,
         {"width_bits": Choice((8, 16, 32)), "start_below_max": Range(0, 10, 2, whole=True),
          "counter": Choice(("pulses", "checks", "cycle"))}, source="Leveson and Turner 1993", demand=never),
    Mode("CTL-10", 1, "controller", "controller", "interlock_check_skipped", "an interlock is not looked at any more",
         (), "S4", ("EVAL_COUNT",), BEAM_OFF_STOP, "time", skipped,
         {"interlock": Choice(SKIPPED), "cycles": Range(0, 10_000, 0, whole=True)}, max_detection_ms=30, max_reaction_ms=20,
         max_mu=0.6, source="Leveson and Turner 1993"),
    Mode("CTL-11", 2, "controller", "controller", "setpoint_memory_flip", "a bit of what is to be delivered turns over",
         ("arm", "beam_on"), "S4", ("RX_HASH", "ECHO_MISMATCH", "MU2_TERM", "MLC_POS", "MLC_OFF", "GANTRY_POS", "POS_CHANGED"),
         ("beam_off",), "time", setpoint_flip,
         {"field": Choice(tuple(WORDS)), "bit": Range(30, 62, 52, whole=True)}, max_detection_ms=50, max_reaction_ms=10,
         max_mu=0.7, activation="transient", source="25 Pa. Code 228.72", demand=may_be_small),
    Mode("CTL-12", 2, "controller", "controller", "resource_exhaustion", "memory, files or disk run out",
         (), "S3", ("LOG_FAIL", "LOG_LOST", "CYCLE_OVERRUN", "WDG"), ("beam_hold",), "time", exhausted,
         {"what": Choice(("disk_full", "log_write_error", "fds", "gc_pause", "memory")), "pause_ms": Range(50, 2000, 200)},
         max_detection_ms=100, max_reaction_ms=20, max_mu=1.4, source="own judgement"),
    Mode("CTL-13", 1, "controller", "controller", "restart_with_stale_state", "a new process goes on from an old journal",
         ("arm", "beam_on", "hold", "shift", "record"), "S4", ("RECOVERY", "POS_UNVERIFIED", "WDG"), ("prevent_start",),
         "before_beam", restarted, {"age_s": Range(0, 86_400, 0)}, max_reaction_ms=10,
         limits=("total_mu <= prescribed + 1.0",), source="IAEA Pub. 1180"),
    Mode("CTL-15", 1, "controller", "controller", "exception_in_trip_handler", "what hears of a trip raises instead",
         ("beam_on",), "S4", ("ABORT", "WDG", "BEAM_STUCK"), ("beam_off",), "time", raises,
         {"where": Choice(("on_enter_fault", "log", "ui", "device_write"))}, max_detection_ms=60, max_reaction_ms=10, max_mu=0.8,
         activation="transient", source="transitions 0.9.3, measured"),
    Mode("CTL-16", 1, "controller", "controller", "same_cycle_race", "two things happen in the same cycle, or in neighbouring ones",
         ("arm", "beam_on", "hold"), "S4", ("ABORT", "LINK_LOST", "DOOR", "DOOR_CHAIN", "RX_HASH", "RX_CHANGED"), ("beam_off",),
         "time", race, {"pair": Choice(PAIRS), "skew_us": Range(-10_000, 10_000, 0)}, max_detection_ms=20, max_reaction_ms=10,
         max_mu=0.4, activation="transient", source="Leveson and Turner 1993", demand=trips_only),
)
