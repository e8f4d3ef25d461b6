"""The plant: brakes, gears, leaves, carousel, accelerator and supplies that are not what they should be."""

from ..action import Action, Process, Ramp, Write
from .mode import Choice, Demand, Given, Mode, Place, Range
from .parts import BEAM_OFF_STOP, COUCH_MM, LEAF, beyond, number, to, word

GANTRY_DEG_PER_S, LEAF_MM_PER_S = 6.0, 25.0
PLACES_DEG = {"half": 30.0, "other": 60.0, "empty": 300.0}  # of the carousel, from the place of the mode
AXES = ("gantry", "collimator", "jaws", "mlc", "carriages", "couch")
WATER_FLOW = "water_flow"
USUAL_HALF_BAND = {"vacuum": ("vacuum_ua", 0.01), "gas": ("gas_psi", 3.5), "water_temperature": ("water_c", 4.0)}


def brake_slip(given: Given, place: Place) -> tuple[Action, ...]:
    """The ring is torn from its motor and falls, faster and faster; the brake still holds it without power."""
    return (Ramp("plant.gantry.slides", GANTRY_DEG_PER_S, GANTRY_DEG_PER_S / number(given, "accel_deg_per_s2")),)


def drive_slip(given: Given, place: Place) -> tuple[Action, ...]:
    """Motor and primary encoder stay right, the ring is left behind."""
    slip = number(given, "slip_deg") * (1.0 if word(given, "direction") == "cw" else -1.0)
    return (Ramp("plant.gantry.bias", slip, abs(slip) / GANTRY_DEG_PER_S),)


def sag(given: Given, place: Place) -> tuple[Action, ...]:
    """The couch top goes down, or away, more slowly than any watch on speed sees."""
    return (Write(f"plant.couch[{word(given, 'axis')}].slides", -number(given, "rate_mm_per_s")),)


def until_a_mm(given: Given) -> float:
    """What is 1.0 mm off may not be."""
    return 1000.0 / number(given, "rate_mm_per_s")


def drop(given: Given, place: Place) -> tuple[Action, ...]:
    """The couch falls."""
    return (Write("plant.couch[vertical].slides", -number(given, "v_mm_per_s")),)


def slow_leaf(given: Given, place: Place) -> tuple[Action, ...]:
    """The motor of a leaf is weak: it goes at a share of the planned speed."""
    return (Write(f"plant.mlc[{int(number(given, 'leaf'))}].v_max", LEAF_MM_PER_S * number(given, "speed_factor")),)


def dose_may_wait(given: Given) -> Demand:
    """The dose rate follows the slowest axis, so a slow leaf need not ever be out of tolerance."""
    return "either"


def carousel(given: Given, place: Place) -> tuple[Action, ...]:
    """Target and filter turn to another place; before the beam it is the place they stop at."""
    return (Write("plant.carousel.offset_deg", PLACES_DEG[word(given, "offset")]),)


def energy(given: Given, place: Place) -> tuple[Action, ...]:
    """The current of the bending magnet goes away from its figure."""
    return (to("plant.beam.energy_factor", 1.0 + number(given, "bend_current_pct") / 100.0, number(given, "ramp_s")),)


def until_3_percent(given: Given) -> float:
    """The bound is 3 %."""
    return 1000.0 * number(given, "ramp_s") * min(1.0, 3.0 / max(abs(number(given, "bend_current_pct")), 1e-9))


def missing_pulses(given: Given, place: Place) -> tuple[Action, ...]:
    """Pulses that are triggered and give no dose."""
    return (Write("plant.beam.missed_share", number(given, "p_pulse")),)


def runaway_rate(given: Given, place: Place) -> tuple[Action, ...]:
    """More dose in every pulse."""
    return (to("plant.beam.pulse_factor", number(given, "factor"), number(given, "rise_ms") / 1000.0),)


def rising(given: Given) -> float:
    """Until 1.2 times the rate are reached."""
    return number(given, "rise_ms") * 0.2 / max(number(given, "factor") - 1.0, 0.2)


def asymmetry(given: Given, place: Place) -> tuple[Action, ...]:
    """The beam leans to one side."""
    axis = {"radial": "x", "transverse": "y"}[word(given, "axis")]
    return (to(f"plant.beam.asymmetry_{axis}", number(given, "pct") / 100.0, number(given, "ramp_s")),)


def until_2_percent(given: Given) -> float:
    """The bound is 2 %."""
    return 1000.0 * number(given, "ramp_s") * min(1.0, 2.0 / number(given, "pct"))


def rail(given: Given, place: Place) -> tuple[Action, ...]:
    """One supply fails; what comes back with it has forgotten things."""
    lost: dict[str, tuple[Action, ...]] = {
        "mains": (Write("plant.room.mains_ok", 0.0),),
        "dose_electronics": (Write("plant.chambers.hv_v", 0.0),),
        "drives": tuple(Write(f"plant.nodes[{name}].healthy", 0.0) for name in AXES),
        "controller": (Process("freeze"),),
        "imager": (Write("plant.nodes[kv_arms].silent", 1.0), Write("plant.nodes[mv_arm].silent", 1.0)),
    }
    return lost[word(given, "rail")]


def until_silence_counts(given: Given) -> float:
    """A controller without power is noticed by the other channel alone, which gives it 50 ms, as in CTL-01; all else 20 ms."""
    return 30.0 if word(given, "rail") == "controller" else 0.0


def utility(given: Given, place: Place) -> tuple[Action, ...]:
    """Vacuum, gas or water leave their bands."""
    quantity = word(given, "quantity")
    if quantity == WATER_FLOW:
        return (Write("plant.beam.water_level_ok", 0.0),)
    name, half = USUAL_HALF_BAND[quantity]
    return (Write(f"plant.live[{name}].bias", half * number(given, "excursion_factor")),)


def outside_its_band(given: Given) -> Demand:
    """Once around the band's half is its edge; low water warns for 5 s first."""
    return "react" if word(given, "quantity") == WATER_FLOW or number(given, "excursion_factor") > 1.2 else "either"


MODES = (
    Mode("PLT-01", 1, "plant", "gantry", "brake_slip", "the gantry falls, torn from its motor",
         ("setup", "imaging", "beam_on", "hold"), "S4", ("GANTRY_SPD", "GANTRY_POS"), BEAM_OFF_STOP, "time", brake_slip,
         {"accel_deg_per_s2": Range(0.5, 20.0, 5.0)}, max_detection_ms=50, max_reaction_ms=300, max_mu=0.8,
         limits=("gantry_err_deg <= 1.0",), source="IEC"),
    Mode("PLT-02", 2, "plant", "gantry", "drive_slip", "motor and primary encoder are right, the ring is left behind",
         ("setup", "beam_on"), "S4", ("GANTRY_DIS",), BEAM_OFF_STOP, "time", drive_slip,
         {"slip_deg": Range(0.5, 5.0, 2.0), "direction": Choice(("cw", "ccw"))}, max_detection_ms=110, max_reaction_ms=300,
         max_mu=1.5, limits=("gantry_err_deg <= 1.0",), demand=beyond("slip_deg", 0.6)),
    Mode("PLT-03", 2, "plant", "couch", "sag_drift", "the couch goes slowly away from where it was approved",
         ("approve", "arm", "beam_on", "hold"), "S3", ("COUCH_POS", "POS_CHANGED"), ("beam_hold",), "time", sag,
         {"rate_mm_per_s": Range(0.05, 1.0, 0.5), "axis": COUCH_MM}, max_detection_ms=100, max_reaction_ms=10, max_mu=1.3,
         limits=("miss_mm <= 1.2",), source="TG-142", onset_ms=until_a_mm),
    Mode("PLT-04", 2, "plant", "couch", "drop", "the couch falls", (), "S4", ("COUCH_SPD", "COUCH_POS"), BEAM_OFF_STOP, "time",
         drop, {"v_mm_per_s": Range(20.0, 200.0, 40.0)}, max_detection_ms=30, max_reaction_ms=200, max_mu=0.6,
         limits=("travel_mm <= 10",), source="IEC"),
    Mode("PLT-05", 1, "plant", "mlc", "slow_leaf", "one leaf has not the speed that the plan counts on", ("beam_on",), "S3",
         ("MLC_POS", "MLC_SPD"), ("beam_hold",), "time", slow_leaf, {"leaf": LEAF, "speed_factor": Range(0.2, 0.9, 0.2)},
         max_detection_ms=100, max_reaction_ms=10, max_mu=1.3, limits=("mu_out_of_tol <= 0.5",), source="TG-142; TG-100",
         demand=dose_may_wait),
    Mode("PLT-06", 1, "plant", "head", "carousel_wrong_or_moving", "target and filter are not those of the mode",
         ("arm", "beam_on"), "S4", ("MODE",), ("beam_off",), "before_beam", carousel,
         {"offset": Choice(("half", "other", "empty"))}, max_detection_ms=20, max_reaction_ms=10, needs=("carousel",),
         source="Leveson 1993; 25 Pa. Code 228.72"),
    Mode("PLT-07", 1, "plant", "rf", "energy_drift", "the bending magnet, and the energy with it, goes away", ("beam_on",),
         "S4", ("ENERGY",), ("beam_off",), "time", energy,
         {"bend_current_pct": Range(-10.0, 10.0, 5.0), "ramp_s": Range(0.0, 60.0, 0.0)}, max_detection_ms=50,
         max_reaction_ms=10, max_mu=0.7, source="25 Pa. Code 228.72", demand=beyond("bend_current_pct", 3.3),
         onset_ms=until_3_percent),
    Mode("PLT-08", 2, "plant", "rf", "arc_or_missing_pulses", "pulses are triggered and give no dose", ("beam_on",), "S2",
         ("RF_ARC", "DOSE_RATE_LO", "MU_ANGLE"), ("beam_hold",), "time", missing_pulses, {"p_pulse": Range(0.001, 0.5, 0.2)},
         max_detection_ms=100, max_reaction_ms=10, max_mu=1.3, limits=("mu_angle_err_mu <= 1.0",), activation="intermittent",
         demand=beyond("p_pulse", 0.1, fine=0.003)),
    Mode("PLT-09", 1, "plant", "rf", "dose_rate_runaway", "more dose in every pulse", ("beam_on",), "S4", ("DOSE_RATE_HI",),
         ("beam_off",), "time", runaway_rate, {"factor": Range(1.2, 10.0, 2.0), "rise_ms": Range(0.0, 100.0, 0.0)},
         max_detection_ms=20, max_reaction_ms=5, max_mu=0.3, source="IEC; Leveson 1993", demand=beyond("factor", 1.25),
         onset_ms=rising),
    Mode("PLT-10", 1, "plant", "rf", "beam_asymmetry", "the beam leans to one side", ("beam_on",), "S3", ("DOSE_SYM",),
         ("beam_off",), "time", asymmetry,
         {"pct": Range(2.0, 20.0, 6.0), "axis": Choice(("radial", "transverse")), "ramp_s": Range(0.0, 30.0, 0.0)},
         max_detection_ms=100, max_reaction_ms=10, max_mu=1.3, source="IEC", demand=beyond("pct", 2.5),
         onset_ms=until_2_percent),
    Mode("PLT-11", 1, "plant", "power", "mains_dip_or_rail_loss", "one supply is gone for a while", (), "S4",
         ("POWER", "SELFTEST"), BEAM_OFF_STOP, "time", rail,
         {"rail": Choice(("mains", "dose_electronics", "drives", "controller", "imager"))}, max_detection_ms=20,
         max_reaction_ms=20, max_mu=0.5, activation="transient", source="IAEA 1180", onset_ms=until_silence_counts),
    Mode("PLT-12", 3, "plant", "utilities", "vacuum_cooling_gas_temperature", "vacuum, gas or water leave their bands", (),
         "S1", ("UTIL",), ("beam_off",), "time", utility,
         {"quantity": Choice(("vacuum", "gas", "water_temperature", WATER_FLOW)), "excursion_factor": Range(1.0, 3.0, 2.0)},
         max_detection_ms=1000, max_reaction_ms=10, demand=outside_its_band),
)
