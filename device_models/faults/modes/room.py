"""The room and whoever is in it: door, emergency stops, a person, the patient, things in the way, accessories."""

from ..action import Action, Alter, Write
from .mode import Choice, Demand, Given, Mode, Place, Range
from .parts import BEAM_OFF_STOP, number


def door(given: Given, place: Place) -> tuple[Action, ...]:
    """Somebody opens the door, and closes it again after `dur_ms`; 0 = stays open until the fault is cleared."""
    return (Alter("act_for", {"do": "open_door", "undo": "close_door", "ms": given["dur_ms"]}),)


def person(given: Given, place: Place) -> tuple[Action, ...]:
    """The search was not done as it has to be."""
    return (Alter("no_search", {"last_person_out": given["last_person_out"]}),)


def estop(given: Given, place: Place) -> tuple[Action, ...]:
    """All buttons are in one loop, so where it was pressed makes no difference to the machine."""
    return (Alter("act_for", {"do": "press_estop", "undo": "release_estop", "ms": given["dur_ms"]}),)


def monitor(given: Given, place: Place) -> tuple[Action, ...]:
    """The room's own monitors are one wire."""
    return (Write("plant.room.room_monitor_ok", 0.0),)


def patient(given: Given, place: Place) -> tuple[Action, ...]:
    """The patient leaves the place that was approved."""
    return (Alter("patient_moves", dict(given)),)


def obstruction(given: Given, place: Place) -> tuple[Action, ...]:
    """Something stands so close to a moving part; below zero it touches, and the guard it touches is pressed."""
    near = float(given["clearance_mm"])
    return (Write("plant.collision.obstruction_mm", near), Write("plant.collision.left", 0.0))


def accessory(given: Given, place: Place) -> tuple[Action, ...]:
    """The tray holds something else than the plan asks for."""
    return (Write("plant.beam.accessory", float(1 + ITEMS.index(str(given["item"])))),)


def where_somebody_looks(given: Given) -> Demand:
    """Protocols without images or monitor during the beam see nothing of it; the age of the images bounds it."""
    return "either"


def closer_than_20_mm(given: Given) -> Demand:
    """Automatic motion needs 20 mm."""
    return "react" if number(given, "clearance_mm") < 20.0 else "nothing"


ITEMS = ("wedge", "tray", "applicator", "bolus", "block")
MODES = (
    Mode("ROM-01", 1, "room", "door", "opened_mid_beam", "the treatment room's door is opened during the beam or an exposure",
         ("beam_on", "imaging"), "S4", ("DOOR", "DOOR_CHAIN", "DOOR_OPEN", "DOOR_DIS"), ("beam_off",), "time", door,
         {"dur_ms": Range(0, 600_000, 0)}, max_detection_ms=10, max_reaction_ms=10, max_mu=0.3, activation="transient",
         source="25 Pa. Code 228.33a"),
    Mode("ROM-02", 2, "room", "room", "person_in_room", "the room was not searched, or not in time, or was entered once more",
         ("setup", "arm"), "S4", ("LAST_OUT",), ("prevent_start",), "before_beam", person,
         {"last_person_out": Choice(("not_pressed", "timed_out", "skipped"))}, source="own judgement"),
    Mode("ROM-03", 1, "room", "estop", "pressed", "an emergency stop is pressed, and latches however short the press was",
         (), "S4", ("ESTOP", "ESTOP_CHAIN"), BEAM_OFF_STOP, "time", estop,
         {"where": Choice(("console", "pendant", "couch", "wall")), "dur_ms": Range(0, 600_000, 0)},
         max_detection_ms=10, max_reaction_ms=10, max_mu=0.3, limits=("travel_mm <= 3.0",), activation="transient",
         source="IEC 60601-2-1 as known, not read"),
    Mode("ROM-04", 3, "room", "room", "radiation_monitor_or_cctv_lost", "nobody can see the patient or the radiation any more",
         (), "S2", ("ROOM_MON",), ("prevent_start",), "before_beam", monitor,
         {"what": Choice(("cctv", "area_monitor", "intercom", "warning_light"))}, source="25 Pa. Code 228.33a"),
    Mode("ROM-05", 1, "room", "patient", "motion", "the patient moves out of the place that was approved",
         ("approve", "arm", "beam_on"), "S3", ("PATIENT_MOTION", "TARGET_UNSEEN", "SURF_MOTION", "GATE", "IMG_STALE"),
         ("beam_hold",), "time", patient,
         {"kind": Choice(("sit_up", "cough", "slow_drift", "breath_loss")), "amp_mm": Range(1, 50, 12),
          "v_mm_s": Range(0.05, 50, 5)},
         max_detection_ms=150, max_reaction_ms=10, max_mu=1.8, limits=("miss_mm <= 3.0 @beam",), activation="transient",
         needs=("imaging",), source="Naylor 2025", demand=where_somebody_looks),
    Mode("ROM-06", 1, "room", "room", "obstruction_or_collision_course", "something stands in the way of a moving part",
         ("setup", "imaging", "shift", "beam_on"), "S4", ("COLLISION", "TOUCHGUARD"), ("motion_stop",), "time", obstruction,
         {"object": Choice(("patient_arm", "chair", "accessory", "imager")), "clearance_mm": Range(-50, 50, 5)},
         max_detection_ms=30, max_reaction_ms=200, limits=("clearance_mm >= 0", "force_stop_mm <= 10"),
         source="FDA recall 89889", demand=closer_than_20_mm),
    Mode("ROM-07", 2, "room", "accessory", "wrong_or_missing", "the tray holds another modifier than the plan asks for",
         ("arm",), "S4", ("ACC",), ("prevent_start",), "before_beam", accessory, {"item": Choice(ITEMS)},
         source="New York 2005-07; 25 Pa. Code 228.72"),
)
