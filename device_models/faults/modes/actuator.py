"""Actuators: motors, brakes, triggers that do something else than they were told."""

from ..action import Action, Wire, Write
from ..behaviour import Behaviour
from .mode import Choice, Demand, Given, Mode, Place, Range
from .parts import BEAM_OFF_STOP, COUCH, COUCH_MM, LEAF, beyond, number, word

TOP_SPEED = {  # mm/s or deg/s: as fast as it is ever told to go
    "gantry": 6.0, "collimator": 15.0, "couch[vertical]": 20.0, "couch[longitudinal]": 40.0, "couch[lateral]": 20.0,
    "couch[rotation]": 3.0, "jaws[0]": 25.0, "mlc[17]": 25.0,
}
SIGN = Choice(("plus", "minus"))
ENABLED = ("couch", "gantry", "collimator", "mlc", "jaws", "kv_arms", "mv_arm")


def signed(given: Given, size: str) -> float:
    """A size with the sign that was asked for."""
    return number(given, size) * (1.0 if word(given, "sign") == "plus" else -1.0)


def leaf_of(given: Given) -> str:
    """Path of the leaf that is meant."""
    return f"mlc[{int(number(given, 'leaf'))}]"


def stall(given: Given, place: Place) -> tuple[Action, ...]:
    """The motor of the gantry is dead."""
    return (Write("plant.gantry.moves", 0.0),)


def when_it_turns(given: Given) -> Demand:
    """A gantry that need not move may stand."""
    return "either"


def runaway(given: Given, place: Place) -> tuple[Action, ...]:
    """The gantry goes by itself until its power is taken away."""
    return (Write("plant.gantry.slides", signed(given, "speed_deg_per_s")),)


def uncommanded(given: Given, place: Place) -> tuple[Action, ...]:
    """An axis goes by itself until its power is taken away."""
    axis = word(given, "axis")
    return (Write(f"plant.{axis}.slides", TOP_SPEED[axis] * number(given, "v_frac")),)


def leaf_stuck(given: Given, place: Place) -> tuple[Action, ...]:
    """The motor of one leaf is dead; its sensors keep telling the truth."""
    return (Write(f"plant.{leaf_of(given)}.moves", 0.0),)


def stick_slip(given: Given, place: Place) -> tuple[Action, ...]:
    """A leaf sticks until it would have gone so far, then catches up."""
    return (Wire(f"{leaf_of(given)}.setpoint", Behaviour.STICK, number(given, "stick_mm")),)


def leaf_runaway(given: Given, place: Place) -> tuple[Action, ...]:
    """A leaf goes by itself until its power is taken away."""
    return (Write(f"plant.{leaf_of(given)}.slides", signed(given, "v_mm_per_s")),)


def jaw_stuck(given: Given, place: Place) -> tuple[Action, ...]:
    """The motor of a jaw is dead."""
    return (Write(f"plant.jaws[{word(given, 'axis')}].moves", 0.0),)


def couch_stuck(given: Given, place: Place) -> tuple[Action, ...]:
    """The motor of a couch axis is dead; where on its way is for the moment of the fault to say."""
    return (Write(f"plant.couch[{word(given, 'axis')}].moves", 0.0),)


def miss_place(given: Given, place: Place) -> tuple[Action, ...]:
    """A couch axis stops beside the place that it was told."""
    return (Wire(f"couch[{word(given, 'axis')}].setpoint", Behaviour.BIAS, number(given, "err_mm")),)


def couch_goes(given: Given, place: Place) -> tuple[Action, ...]:
    """The couch goes so far by itself, and comes back when the fault is over."""
    return (Wire(f"couch[{word(given, 'axis')}].setpoint", Behaviour.BIAS, signed(given, "d_mm")),)


def stuck_on(given: Given, place: Place) -> tuple[Action, ...]:
    """Trigger or gun go on without the permit; or the contactor of the second channel does not open."""
    contactor = word(given, "element") == "contactor"
    return (Write("plant.beam.chain_stuck" if contactor else "plant.beam.stuck_on", 1.0),)


def one_of_two(given: Given) -> Demand:
    """A contactor that would not open is seen by nobody while nothing asks it to."""
    return "either" if word(given, "element") == "contactor" else "react"


def deaf_to_hold(given: Given, place: Place) -> tuple[Action, ...]:
    """Pulses go on through a hold; nothing is seen of it until somebody holds the beam."""
    return (Write("plant.beam.stuck_on", 1.0),)


def always_powered(given: Given, place: Place) -> tuple[Action, ...]:
    """Drive power stays on when it is taken away."""
    return (Write(f"plant.nodes[{word(given, 'device')}].enable_stuck", 1.0),)


MODES = (
    Mode("ACT-01", 1, "actuator", "gantry", "stall", "the motor of the gantry is dead", ("beam_on", "setup"), "S3",
         ("GANTRY_POS", "MU_ANGLE"), ("beam_hold",), "time", stall, max_detection_ms=200, max_reaction_ms=10, max_mu=2.4,
         limits=("mu_angle_err_mu <= 1.0",), source="IEC", demand=when_it_turns),
    Mode("ACT-02", 1, "actuator", "gantry", "runaway_or_wrong_direction", "the gantry goes by itself", (), "S4",
         ("GANTRY_SPD", "GANTRY_POS"), BEAM_OFF_STOP, "time", runaway, {"speed_deg_per_s": Range(1.0, 8.0, 6.0), "sign": SIGN},
         max_detection_ms=30, max_reaction_ms=300, max_mu=0.6, limits=("overrun_deg <= 2.0",)),
    Mode("ACT-03", 1, "actuator", "any_axis", "uncommanded_motion", "an axis goes by itself",
         ("idle", "approve", "arm", "beam_on", "hold"), "S4", ("MOTION_EN",), BEAM_OFF_STOP, "time", uncommanded,
         {"axis": Choice(tuple(TOP_SPEED)), "v_frac": Range(0.1, 1.0, 0.5)}, max_detection_ms=50, max_reaction_ms=200,
         max_mu=0.8, limits=("travel_mm <= 3.0", "travel_deg <= 0.5"), source="IEC"),
    Mode("ACT-04", 1, "actuator", "mlc", "leaf_stuck", "one leaf does not move any more; its sensors tell the truth",
         ("setup", "beam_on"), "S4", ("MLC_POS",), ("beam_hold",), "time", leaf_stuck, {"leaf": LEAF}, max_detection_ms=100,
         max_reaction_ms=10, max_mu=1.3, limits=("mu_out_of_tol <= 0.5",), source="TG-142"),
    Mode("ACT-05", 1, "actuator", "mlc", "leaf_stick_slip", "a leaf sticks, then catches up, again and again", ("beam_on",),
         "S3", ("MLC_POS", "MLC_RMS"), ("beam_hold",), "time", stick_slip, {"leaf": LEAF, "stick_mm": Range(0.5, 12.5, 4.0)},
         max_detection_ms=2000, max_reaction_ms=10, limits=("mlc_rms_mm <= 1.0",), activation="intermittent", source="TG-142",
         demand=beyond("stick_mm", 2.5)),
    Mode("ACT-06", 2, "actuator", "mlc", "leaf_runaway_or_collision", "a leaf goes by itself", (), "S3",
         ("MLC_SPD", "MLC_POS"), ("beam_hold", "motion_stop"), "time", leaf_runaway,
         {"leaf": LEAF, "v_mm_per_s": Range(5.0, 40.0, 20.0), "sign": SIGN}, max_detection_ms=40, max_reaction_ms=100,
         max_mu=0.7),
    Mode("ACT-07", 3, "actuator", "jaw", "stuck", "the motor of a jaw is dead", ("setup", "beam_on"), "S3", ("JAW_POS",),
         ("prevent_start",), "before_beam", jaw_stuck, {"axis": Choice(("y1", "y2", "x1", "x2"))}, max_reaction_ms=10,
         limits=("miss_mm <= 1.0",), source="TG-142"),
    Mode("ACT-08", 1, "actuator", "couch", "stuck_mid_shift", "a couch axis stops on its way", ("shift",), "S4",
         ("COUCH_POS", "POS_UNVERIFIED"), ("motion_stop", "prevent_start"), "time", couch_stuck, {"axis": COUCH},
         max_detection_ms=1000, max_reaction_ms=200, limits=("miss_mm <= 1.0",)),
    Mode("ACT-09", 2, "actuator", "couch", "over_or_undershoot", "a couch axis stops beside its place", ("shift",), "S4",
         ("COUCH_POS", "POS_UNVERIFIED"), ("prevent_start",), "before_beam", miss_place,
         {"err_mm": Range(0.5, 20.0, 5.0), "axis": COUCH_MM}, max_reaction_ms=10, limits=("miss_mm <= 1.0",), source="TG-142",
         demand=beyond("err_mm", 1.1)),
    Mode("ACT-10", 1, "actuator", "couch", "uncommanded_move_after_approval",
         "the couch goes by itself, and perhaps comes back", ("approve", "arm", "beam_on", "hold"), "S4",
         ("POS_CHANGED", "MOTION_EN"), ("beam_off",), "time", couch_goes,
         {"d_mm": Range(0.5, 30.0, 5.0), "axis": COUCH_MM, "sign": SIGN}, max_detection_ms=50, max_reaction_ms=10, max_mu=0.7,
         limits=("miss_mm <= 1.5",), activation="transient", source="TG-100", demand=beyond("d_mm", 1.1)),
    Mode("ACT-11", 1, "actuator", "beam", "trigger_or_contactor_stuck_on", "the beam does not stop when it is told",
         ("beam_on", "hold", "terminate"), "S4", ("BEAM_STUCK",), BEAM_OFF_STOP, "time", stuck_on,
         {"element": Choice(("trigger", "contactor", "gun_grid"))}, max_detection_ms=20, max_reaction_ms=20, max_mu=0.5,
         source="Leveson 1993", demand=one_of_two),
    Mode("ACT-12", 1, "actuator", "beam", "hold_line_inoperative", "pulses go on through a hold", ("beam_on",), "S4",
         ("BEAM_STUCK",), ("beam_off",), "time", deaf_to_hold, max_detection_ms=20, max_reaction_ms=10, max_mu=0.4,
         activation="latent"),
    Mode("ACT-13", 2, "actuator", "motion", "enable_output_stuck_on", "drive power stays on when it is taken away", ("idle",),
         "S4", ("MOTION_EN", "SELFTEST"), ("prevent_motion",), "before_motion", always_powered, {"device": Choice(ENABLED)},
         activation="latent", source="IEC"),
)
