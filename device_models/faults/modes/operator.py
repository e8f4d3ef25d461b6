"""People at console and pendant: entries, buttons, keys, in the wrong moment, too often, or for the wrong patient."""

from ..action import Act, Action, Alter, Write
from .mode import Choice, Demand, Given, Mode, Place, Range, never
from .parts import beyond, number, word


def edit(given: Given, place: Place) -> tuple[Action, ...]:
    """An even number of edits leaves the entry as it was."""
    settings = {"field": given["field"], "after_ms": given["t_after_setup_ms"], "edits": given["edits"]}
    return (Alter("edit", settings),)


def start_again(given: Given, place: Place) -> tuple[Action, ...]:
    """The start button, n times."""
    return (Alter("press_start", dict(given)),)


CAUSES: dict[str, tuple[Action, ...]] = {
    "dose": (Write("plant.chambers[1].gain", 1.2),),
    "door": (Alter("act_for", {"do": "open_door", "undo": "close_door", "ms": 1000.0}),),
    "none": (),
}


def resume_again(given: Given, place: Place) -> tuple[Action, ...]:
    """Something stops the beam, and somebody resets and starts, and resets and starts."""
    return (Alter("press_resume", {"n": given["n"], "gap_ms": given["gap_ms"]}), *CAUSES[str(given["trip"])])


def override(given: Given, place: Place) -> tuple[Action, ...]:
    """A plug for one protection, and the question whether another may be set aside."""
    return (Act("fit_bypass", "remove_bypass"), Alter("override", {"interlock": given["interlock"], "role": given["role"]}))


def approve(given: Given, place: Place) -> tuple[Action, ...]:
    """Approve is pressed when there is nothing, or nothing new, to approve."""
    return (Alter("approve_at", {"when": given["when"], "role": given["role"]}),)


def wrong_one(given: Given, place: Place) -> tuple[Action, ...]:
    """The plan that is opened is not that of the patient on the couch."""
    return (Alter("wrong_plan", {"kind": given["kind"]}),)


def jog(given: Given, place: Place) -> tuple[Action, ...]:
    """The couch is moved, and moved back where `return` says so."""
    return (Alter("jog", {"axis": given["axis"], "way": given["d_mm"], "back": given["return"]}),)


def bar(given: Given, place: Place) -> tuple[Action, ...]:
    """The bar is let go while something moves, and held again after `tap_ms`."""
    return (Alter("act_for", {"do": "release_bar", "undo": "hold_bar", "ms": given["tap_ms"]}),)


def abort(given: Given, place: Place) -> tuple[Action, ...]:
    """The stop button, when it fits least."""
    return (Alter("stop_at", {"at": given["at"]}),)


def service(given: Given, place: Place) -> tuple[Action, ...]:
    """The service switch."""
    return (Act("service_mode_on", "service_mode_off"),)


def entry(given: Given, place: Place) -> tuple[Action, ...]:
    """Something nobody could mean."""
    return (Alter("entry", {"field": given["field"]}),)


def unless_undone(given: Given) -> Demand:
    """An entry that is as it was needs no stop, though it may have had one."""
    return "react" if number(given, "edits") % 2 == 1 else "either"


def after_dose(given: Given) -> Demand:
    """A door may be closed, and the field goes on; a dose interlock is not for the console."""
    return "react" if word(given, "trip") == "dose" else "either"


def unless_twice(given: Given) -> Demand:
    """Two approvals of the same match are one."""
    return "either" if word(given, "when") == "twice" else "react"


def until_they_trip(given: Given) -> float:
    """What is pressed again is what tripped: a chamber that reads a fifth more is 1 MU off after half a second at 10 MU/s."""
    return 500.0 if word(given, "trip") == "dose" else 0.0


ROWS = ("GANTRY_POS", "MU_DIS", "DOOR", "ESTOP", "POS_CHANGED", "PLAN_INTEGRITY")
MODES = (
    Mode("OPR-01", 1, "operator", "console", "edit_during_setup",
         "the entry is edited while the machine sets up for the one before", ("setup", "arm"), "S4",
         ("RX_CHANGED", "RX_HASH", "PLAN_INTEGRITY", "APPROVAL_BIND"), ("prevent_start",), "before_beam", edit,
         {"field": Choice(("mode", "energy", "mu", "angle", "patient")), "t_after_setup_ms": Range(0, 10_000, 0),
          "edits": Range(1, 5, 1, whole=True)},
         max_detection_ms=20, max_reaction_ms=10, limits=("mu_after_eff <= 0",), activation="transient",
         source="Leveson and Turner 1993", demand=unless_undone),
    Mode("OPR-02", 1, "operator", "console", "double_start_or_key_repeat", "the start button is pressed again and again",
         ("arm", "beam_on", "terminate"), "S4", ("START_GUARD",), ("none",), "never", start_again,
         {"n": Range(2, 20, 3, whole=True), "gap_ms": Range(1, 200, 50)}, limits=("total_mu <= prescribed + 1.0",),
         activation="transient", source="Leveson and Turner 1993", demand=never),
    Mode("OPR-03", 1, "operator", "console", "repeated_resume_after_trip", "a trip is reset and the beam started, over and over",
         ("beam_on", "hold"), "S4", ("MU_DIS", "RATE_PLAUS", "DOOR", "DOOR_CHAIN", "RESUME_LIMIT"), ("prevent_start",),
         "before_beam", resume_again,
         {"n": Range(1, 10, 5, whole=True), "gap_ms": Range(10, 5000, 200), "trip": Choice(("dose", "door", "none"))},
         max_reaction_ms=10, limits=("total_mu <= prescribed + 1.0",), activation="transient", source="Leveson and Turner 1993",
         demand=after_dose, onset_ms=until_they_trip),
    Mode("OPR-04", 2, "operator", "console", "override_or_bypass_request", "somebody wants a protection set aside",
         (), "S4", ("BYPASS",), ("prevent_start",), "before_beam", override,
         {"interlock": Choice(ROWS), "role": Choice(("therapist", "physicist", "engineer"))}, activation="transient",
         source="AAPM TG-35"),
    Mode("OPR-05", 1, "operator", "console", "premature_or_duplicate_approval", "approve is pressed too early, too late or twice",
         ("registration", "approve"), "S4", ("APPROVAL_BIND", "POS_CHANGED", "POS_UNVERIFIED"), ("prevent_start",),
         "before_beam", approve,
         {"when": Choice(("before_result", "during_result", "after_new_image", "twice")),
          "role": Choice(("therapist", "physician", "physicist"))}, activation="transient", needs=("imaging",),
         source="AAPM TG-100", demand=unless_twice),
    Mode("OPR-06", 1, "operator", "console", "wrong_patient_or_field_selected", "the plan opened is not the one for this couch",
         ("load", "setup"), "S4", ("PATIENT_ID", "PLAN_BIND"), ("prevent_start",), "before_beam", wrong_one,
         {"kind": Choice(("patient", "plan", "site", "field"))}, activation="transient", needs=("imaging",),
         source="AAPM TG-100"),
    Mode("OPR-07", 1, "operator", "pendant", "couch_jog_after_approval", "the couch is moved after the position was approved",
         ("approve", "arm", "hold"), "S4", ("POS_CHANGED", "POS_TURNED", "COUCH_POS", "COUCH_ANGLE"), ("prevent_start",), "time",
         jog,
         {"d_mm": Range(0.3, 50, 3), "axis": Choice(("lateral", "longitudinal", "vertical")), "return": Choice(("no", "yes"))},
         max_detection_ms=50, max_reaction_ms=10, limits=("miss_mm <= 1.5 @beam",), activation="transient",
         needs=("imaging",), source="couch overrides, PMC9278683", demand=beyond("d_mm", 1.2, 0.8)),
    Mode("OPR-08", 2, "operator", "pendant", "enable_released_mid_move", "the motion-enable bar is let go while something moves",
         ("setup", "shift"), "S3", ("MOTION_EN",), ("motion_stop",), "time", bar, {"tap_ms": Range(5, 500, 200)},
         max_detection_ms=20, max_reaction_ms=200, limits=("travel_mm <= 3.0", "travel_deg <= 0.5"), activation="transient",
         source="IEC 60601-2-1 as known, not read"),
    Mode("OPR-09", 2, "operator", "console", "abort_at_worst_moment", "stop is pressed while a step is half done",
         (), "S3", ("ABORT",), ("beam_off", "motion_stop"), "time", abort,
         {"at": Choice(("first_pulse", "hv_ramp", "shift", "record_save", "reconstruction"))}, max_detection_ms=20,
         max_reaction_ms=20, max_mu=0.5, activation="transient", source="STPA studies"),
    Mode("OPR-11", 2, "operator", "console", "service_mode_with_patient", "the service switch is on, and a patient lies there",
         (), "S4", ("SERVICE_MODE",), ("prevent_start",), "before_beam", service, source="New York 2010 reports"),
    Mode("OPR-12", 2, "operator", "console", "implausible_entry", "an entry that nobody could mean",
         ("load",), "S4", ("RX_RANGE", "PLAN_FEAS"), ("prevent_start",), "at_load", entry,
         {"field": Choice(("mu_x10", "mu_negative", "angle_999", "leaf_cross", "nan", "unit"))}, activation="transient",
         source="New York 2010 reports"),
)
