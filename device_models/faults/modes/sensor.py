"""Sensors: encoders, contacts, chambers' wires and monitors that say something else than what is."""

import math

from ..action import Action, Wire, Write
from ..behaviour import Behaviour
from .mode import Choice, Demand, Given, Mode, Place, Range
from .parts import BEAM_OFF_STOP, COUCH, LEAF, WHICH, always_says, beyond, number, second, word

COUNT_DEG = 0.001  # one count of the gantry's encoders
AGES_CYCLES_MS = 10.0
LIFETIME_S = 60.0  # a drift is a ramp of so long
FRAMES = ("mlc", "gantry", "couch", "beam")
DOSES = ("mu_1", "mu_2", "rate_1_mu_per_s", "pulses")
ANY_SENSOR = ("gantry.readback", "gantry.readback_2", "couch[vertical].readback", "couch[rotation].readback", "mlc[17].readback",
              "jaws[0].readback", "collimator.readback", "beam.mu_1", "beam.mu_2", "beam.rate_1_mu_per_s", "beam.energy_ratio",
              "beam.chamber_hv_1_v", "safety.beam_s", "safety.preset_echo_mu", "room.clearance_mm", "room.door_closed")
VALUES = {"nan": math.nan, "+inf": math.inf, "-inf": -math.inf, "max": 1.7e308, "min": -1.7e308, "-0.0": -0.0, "denormal": 5e-324}


def gantry_freeze(given: Given, place: Place) -> tuple[Action, ...]:
    """One encoder of the gantry stands still; the servo believes the first."""
    return (Write(f"plant.gantry.{second(given, 'freeze')}", 1.0),)


def gantry_wrong(given: Given, place: Place) -> tuple[Action, ...]:
    """One encoder is off, goes off, or trembles: each as much as its setting says."""
    path = f"plant.gantry.{second(given, 'bias')}"
    drift, noise = number(given, "drift_deg_per_s"), number(given, "noise_deg")
    wire = "gantry.readback_2" if word(given, "which") == "secondary" else "gantry.readback"
    steady = (Write(path, number(given, "bias_deg")),) if number(given, "bias_deg") > 0.0 else ()
    drifting = (Wire(wire, Behaviour.DRIFT, drift),) if drift > 0.0 else ()
    trembling = (Wire(wire, Behaviour.NOISE, noise),) if noise > 0.0 else ()
    return (*steady, *drifting, *trembling)


def gantry_wrong_enough(given: Given) -> Demand:
    """0.5 deg apart trips; noise within what an encoder may have must not."""
    bias, drift, noise = (number(given, name) for name in ("bias_deg", "drift_deg_per_s", "noise_deg"))
    if bias > 0.55 or drift > 0.0 or noise > 0.6:
        return "react"
    return "nothing" if bias <= 0.3 and noise <= 0.05 else "either"


def until_half_a_degree(given: Given) -> float:
    """A drift is half a degree off after a while."""
    bias, drift = number(given, "bias_deg"), number(given, "drift_deg_per_s")
    return 0.0 if bias > 0.55 or drift <= 0.0 else 1000.0 * (0.5 - min(bias, 0.5)) / drift


def gantry_counts(given: Given, place: Place) -> tuple[Action, ...]:
    """The counter of the first encoder jumps by a turn, changes its sign or loses counts."""
    wire, lost = "gantry.readback", COUNT_DEG * number(given, "n")
    kinds = {"plus360": Wire(wire, Behaviour.BIAS, 360.0), "minus360": Wire(wire, Behaviour.BIAS, -360.0),
             "sign_flip": Wire(wire, Behaviour.GAIN, -1.0), "lost_counts": Wire(wire, Behaviour.BIAS, -lost),
             "missed_index": Wire(wire, Behaviour.BIAS, lost)}
    return (kinds[word(given, "kind")],)


def counts_enough(given: Given) -> Demand:
    """Half a degree is 500 counts; a change of sign is nothing at zero."""
    kind = word(given, "kind")
    if kind in ("lost_counts", "missed_index"):
        return "react" if COUNT_DEG * number(given, "n") > 0.55 else "either"
    return "either" if kind == "sign_flip" else "react"


def both_freeze(given: Given, place: Place) -> tuple[Action, ...]:
    """What both encoders share is gone: they agree, and the ring moves."""
    return Write("plant.gantry.freeze", 1.0), Write("plant.gantry.freeze_2", 1.0)


def offset(given: Given, place: Place) -> tuple[Action, ...]:
    """The first encoder of collimator or a jaw is off, so its servo goes to the wrong place."""
    axis = word(given, "axis")
    path = "plant.collimator.bias" if axis == "collimator" else f"plant.jaws[{axis}].bias"
    return (Write(path, number(given, "offset")),)


def offset_enough(given: Given) -> Demand:
    """1.0 mm of a jaw, 0.5 deg of the collimator."""
    limit = 0.55 if word(given, "axis") == "collimator" else 1.1
    return "react" if number(given, "offset") > limit else "either"


def leaf_freeze(given: Given, place: Place) -> tuple[Action, ...]:
    """One sensor of one leaf stands still."""
    return (Write(f"plant.mlc[{int(number(given, 'leaf'))}].{second(given, 'freeze')}", 1.0),)


def bank_offset(given: Given, place: Place) -> tuple[Action, ...]:
    """First sensors of a whole bank are off by the same amount; both banks: away from each other."""
    half, bank, off = place.leaves // 2, word(given, "bank"), number(given, "offset_mm")
    a = tuple(Write(f"plant.mlc[{i}].bias", off) for i in range(half)) if bank != "B" else ()
    b = tuple(Write(f"plant.mlc[{i}].bias", -off) for i in range(half, 2 * half)) if bank != "A" else ()
    return (*a, *b)


def swapped_with(kind: str, i: int, leaves: int) -> int:
    """Which leaf answers in place of leaf i."""
    half = leaves // 2
    bank, at = i // half, i % half
    if kind == "off_by_one":
        return bank * half + min(at + 1, half - 1)
    return (1 - bank) * half + at if kind == "A_B_swapped" else bank * half + half - 1 - at


def leaves_swapped(given: Given, place: Place) -> tuple[Action, ...]:
    """Cables of leaves are plugged in wrongly: of their first sensors, or of their motors."""
    kind, field = word(given, "kind"), {"sensors": "readback", "motors": "setpoint"}[word(given, "cables")]
    return tuple(Wire(f"mlc[{i}].{field}", Behaviour.SWAP, other=f"mlc[{swapped_with(kind, i, place.leaves)}].{field}")
                 for i in range(place.leaves))


def shape_decides(given: Given) -> Demand:
    """A shape that is its own mirror image looks right."""
    return "react" if word(given, "kind") == "A_B_swapped" else "either"


def couch_freeze(given: Given, place: Place) -> tuple[Action, ...]:
    """One encoder of a couch axis stands still while the couch goes on."""
    return (Write(f"plant.couch[{word(given, 'axis')}].{second(given, 'freeze')}", 1.0),)


def couch_scale(given: Given, place: Place) -> tuple[Action, ...]:
    """The first encoder counts in other units."""
    return (Write(f"plant.couch[{word(given, 'axis')}].scale", float(word(given, "factor"))),)


def far_from_zero(given: Given) -> Demand:
    """Two per cent of a short way are less than what encoders may be apart."""
    return "react" if word(given, "factor") in ("0.1", "10") else "either"


def contacts(name: str, which: str, value: float) -> tuple[Action, ...]:
    """One contact of a pair, or both."""
    paths = {"first": (name,), "second": (f"{name}_2",), "both": (name, f"{name}_2")}[which]
    return tuple(Write(f"plant.room.{path}", value) for path in paths)


def door_welded(given: Given, place: Place) -> tuple[Action, ...]:
    """A door contact says closed whatever the door does; nothing is seen of it until somebody opens the door."""
    return contacts("door_stuck", word(given, "which"), 1.0)


def one_of_two(given: Given) -> Demand:
    """One contact is found by the other; nothing tests both of them together here."""
    return "react" if word(given, "which") != "both" else "either"


def door_chatter(given: Given, place: Place) -> tuple[Action, ...]:
    """A contact opens with the door closed; no longer than a cycle if the fault is a blip."""
    return contacts("door_stuck", word(given, "which"), -1.0)


def guard_dead(given: Given, place: Place) -> tuple[Action, ...]:
    """A touch guard does not feel any more."""
    return contacts("guard_stuck", word(given, "which"), 1.0)


def no_number(given: Given, place: Place) -> tuple[Action, ...]:
    """One wire says something that is no number, or no sensible one."""
    value = VALUES[word(given, "value")]
    path = word(given, "signal")
    return (Wire(path, Behaviour.NAN),) if math.isnan(value) else (always_says(path, value),)


def range_enough(given: Given) -> Demand:
    """Zero may be the truth, and a contact that says the largest number is closed."""
    harmless = word(given, "value") in ("-0.0", "denormal") or word(given, "signal") == "room.clearance_mm"
    largest = word(given, "signal") in ("room.door_closed",) and word(given, "value") in ("max", "+inf")
    return "either" if harmless or largest else "react"


def stale(given: Given, place: Place) -> tuple[Action, ...]:
    """Readings from the past under the stamp of today."""
    device, cycles = word(given, "sensor"), max(1, round(number(given, "age_ms") / AGES_CYCLES_MS))
    names = [f"{device}.{name}" for name in (DOSES if device == "beam" else ("readback", "readback_2"))]
    if word(given, "kind") == "republish_old":
        return (Write(f"plant.nodes[{device}].stale", 1.0),)
    if word(given, "kind") == "delayed":
        return tuple(Wire(name, Behaviour.DELAY, cycles=cycles) for name in names)
    return tuple(Wire(name, Behaviour.DROP, chance=1.0 - 1.0 / (cycles + 1)) for name in names)


def if_it_moves(given: Given) -> Demand:
    """Old readings of what stands still are right; a stamp that is fresh hides the rest until a place is off."""
    return "either"


def surface(given: Given, place: Place) -> tuple[Action, ...]:
    """The surface monitor says what was, and says when that was."""
    names = ("room.surface_mm[0]", "room.surface_mm[1]", "room.surface_mm[2]", "room.surface_cycle")
    if word(given, "freeze") == "yes":
        return tuple(Wire(name, Behaviour.FREEZE) for name in names)
    cycles = max(1, round(number(given, "delay_ms") / AGES_CYCLES_MS))
    return tuple(Wire(name, Behaviour.DELAY, cycles=cycles) for name in names)


def surface_enough(given: Given) -> Demand:
    """An age of half a second trips."""
    return "react" if word(given, "freeze") == "yes" else "either"


def surface_silent(given: Given) -> float:
    """The monitor may be silent for half a second."""
    return 500.0


MODES = (
    Mode("SEN-01", 1, "sensor", "gantry", "encoder_freeze", "one encoder of the gantry stands still", ("setup", "beam_on"),
         "S4", ("GANTRY_DIS", "DATA_STALE"), BEAM_OFF_STOP, "time", gantry_freeze, {"which": WHICH}, max_detection_ms=110,
         max_reaction_ms=300, max_mu=1.5, limits=("gantry_err_deg <= 1.0",)),
    Mode("SEN-02", 1, "sensor", "gantry", "encoder_bias_drift_noise", "one encoder of the gantry is off, goes off or trembles",
         (), "S3", ("GANTRY_DIS",), BEAM_OFF_STOP, "time", gantry_wrong, {"which": WHICH, "bias_deg": Range(0.0, 5.0, 1.5),
          "drift_deg_per_s": Range(0.0, 0.5, 0.0), "noise_deg": Range(0.0, 1.0, 0.0)}, max_detection_ms=40,
         max_reaction_ms=300, max_mu=0.7, limits=("gantry_err_deg <= 1.0",), source="TG-142", demand=gantry_wrong_enough,
         onset_ms=until_half_a_degree),
    Mode("SEN-03", 1, "sensor", "gantry", "encoder_wrap_or_lost_counts",
         "the counter of the first encoder jumps or loses counts", (), "S4", ("GANTRY_DIS", "GANTRY_SPD"), BEAM_OFF_STOP,
         "time", gantry_counts, {"kind": Choice(("plus360", "minus360", "sign_flip", "lost_counts", "missed_index")),
          "n": Range(1, 10_000, 2000, whole=True)}, max_detection_ms=30, max_reaction_ms=300, max_mu=0.6,
         limits=("gantry_err_deg <= 1.0",), activation="transient", demand=counts_enough),
    Mode("SEN-04", 2, "sensor", "gantry", "both_encoders_freeze", "both encoders of the gantry stand still together",
         ("setup", "beam_on"), "S4", ("DATA_STALE", "DRIVE_PLAUS"), BEAM_OFF_STOP, "time", both_freeze,
         {"cause": Choice(("shared_supply", "shared_card"))}, max_detection_ms=60, max_reaction_ms=300, max_mu=0.9,
         limits=("gantry_err_deg <= 1.0",)),
    Mode("SEN-05", 2, "sensor", "collimator", "angle_or_jaw_offset", "the first encoder of collimator or a jaw is off",
         ("setup", "arm", "beam_on"), "S3", ("COLL_POS", "JAW_POS"), ("prevent_start",), "before_beam", offset,
         {"axis": Choice(("collimator", "x1", "x2", "y1", "y2")), "offset": Range(0.5, 10.0, 3.0)}, max_reaction_ms=10,
         limits=("miss_mm <= 1.0",), source="TG-142", demand=offset_enough),
    Mode("SEN-06", 1, "sensor", "mlc", "leaf_readback_freeze", "one sensor of a leaf stands still", ("setup", "beam_on"), "S3",
         ("MLC_DIS",), ("beam_hold",), "time", leaf_freeze, {"leaf": LEAF, "which": WHICH}, max_detection_ms=100,
         max_reaction_ms=10, max_mu=1.3, limits=("mu_out_of_tol <= 0.5",), source="TG-142"),
    Mode("SEN-07", 2, "sensor", "mlc", "bank_offset", "first sensors of a whole bank are off", ("setup", "beam_on"), "S4",
         ("MLC_DIS", "MLC_INIT"), ("prevent_start",), "before_beam", bank_offset,
         {"bank": Choice(("A", "B", "both")), "offset_mm": Range(0.5, 10.0, 3.0)}, max_reaction_ms=10,
         limits=("miss_mm <= 1.0",), source="TG-100", demand=beyond("offset_mm", 1.1)),
    Mode("SEN-08", 2, "sensor", "mlc", "leaf_index_swapped", "cables of leaves are plugged in wrongly", ("setup",), "S4",
         ("MLC_DIS", "MLC_INIT"), ("prevent_start",), "before_beam", leaves_swapped,
         {"kind": Choice(("A_B_swapped", "off_by_one", "mirrored")), "cables": Choice(("sensors", "motors"))},
         max_reaction_ms=10, limits=("miss_mm <= 1.0",), demand=shape_decides),
    Mode("SEN-09", 1, "sensor", "couch", "encoder_freeze", "one encoder of a couch axis stands still",
         ("shift", "approve", "beam_on"), "S4", ("COUCH_DIS", "DATA_STALE"), BEAM_OFF_STOP, "time", couch_freeze,
         {"axis": COUCH, "which": WHICH}, max_detection_ms=110, max_reaction_ms=200, max_mu=1.5,
         limits=("overrun_mm <= 3.0",)),
    Mode("SEN-10", 2, "sensor", "couch", "scale_or_unit_error", "the first encoder of a couch axis counts in other units",
         ("shift",), "S4", ("COUCH_DIS", "SHIFT_RANGE"), ("motion_stop",), "time", couch_scale,
         {"factor": Choice(("0.1", "0.9", "0.98", "1.02", "1.1", "10")), "axis": COUCH}, max_detection_ms=110,
         max_reaction_ms=200, limits=("miss_mm <= 2.0",), demand=far_from_zero),
    Mode("SEN-11", 1, "sensor", "door", "switch_stuck_closed", "a door contact says closed whatever the door does", ("idle",),
         "S4", ("DOOR_DIS", "SELFTEST"), ("prevent_start",), "before_beam", door_welded,
         {"which": Choice(("first", "second", "both"))}, max_reaction_ms=20, activation="latent", source="25 Pa. Code 228.33a"),
    Mode("SEN-12", 1, "sensor", "door", "switch_chatter", "a door contact opens for a moment with the door closed",
         ("beam_on",), "S3", ("DOOR",), ("beam_off",), "time", door_chatter, {"which": Choice(("first", "second", "both"))},
         max_detection_ms=5, max_reaction_ms=20, max_mu=0.3, activation="transient"),
    Mode("SEN-13", 2, "sensor", "touchguard", "stuck_inactive", "a contact of the touch guards does not feel any more",
         ("idle",), "S3", ("SELFTEST", "TOUCH_DIS"), ("prevent_motion",), "before_motion", guard_dead,
         {"which": Choice(("first", "second", "both"))}, activation="latent", source="FDA 89889", demand=one_of_two),
    Mode("SEN-14", 1, "sensor", "any_sensor", "nan_or_out_of_range", "a wire says no number, or no sensible one", (), "S4",
         ("DATA_RANGE",), BEAM_OFF_STOP, "time", no_number, {"signal": Choice(ANY_SENSOR), "value": Choice(tuple(VALUES))},
         max_detection_ms=20, max_reaction_ms=20, max_mu=0.5, activation="transient", demand=range_enough),
    Mode("SEN-15", 1, "sensor", "any_sensor", "stale_with_fresh_stamp", "old readings under a fresh stamp",
         ("beam_on", "setup"), "S3", ("DATA_STALE",), ("beam_hold",), "time", stale, {"sensor": Choice(FRAMES),
          "kind": Choice(("republish_old", "slow_rate", "delayed")), "age_ms": Range(20.0, 2000.0, 200.0)},
         max_detection_ms=40, max_reaction_ms=10, max_mu=0.6, limits=("mu_out_of_tol <= 0.5",), demand=if_it_moves),
    Mode("SEN-16", 2, "sensor", "motion_monitor", "surface_signal_freeze_or_delay", "the surface monitor tells of the past",
         ("beam_on",), "S3", ("SURF_STALE", "DATA_STALE"), ("beam_hold",), "time", surface,
         {"freeze": Choice(("yes", "no")), "delay_ms": Range(0.0, 500.0, 200.0)}, max_detection_ms=60, max_reaction_ms=10,
         max_mu=0.8, limits=("miss_mm <= 3.0",), needs=("imaging",), source="Naylor 2025", demand=surface_enough,
         onset_ms=surface_silent),
)
