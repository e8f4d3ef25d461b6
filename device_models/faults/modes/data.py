"""Plans, records and configuration that are damaged, lost, mixed up or older than they should be."""

from ..action import Action, Alter
from .mode import Choice, Demand, Given, Mode, Place, Range
from .parts import word

BEFORE_READING = ("truncate", "missing_tag")


def corrupted(given: Given, place: Place) -> tuple[Action, ...]:
    """What no reader can overlook is damaged before it is read; a bit, or the checksum, after that."""
    kind = str(given["kind"])
    return (Alter("plan_file_damaged" if kind in BEFORE_READING else "plan_changes", {"kind": kind}),)


def other_mlc(given: Given, place: Place) -> tuple[Action, ...]:
    """Leaves of another model."""
    return (Alter("other_mlc"),)


def points_lost(given: Given, place: Place) -> tuple[Action, ...]:
    """What shaped the field is gone; its MU are all there."""
    return (Alter("points_lost", {"kind": given["kind"]}),)


def infeasible(given: Given, place: Place) -> tuple[Action, ...]:
    """A plan that no machine can follow."""
    return (Alter("infeasible", {"kind": given["kind"]}),)


def given_already(given: Given, place: Place) -> tuple[Action, ...]:
    """The record knows that it was given; or has forgotten all, or the last, of it."""
    kind = str(given["kind"])
    return (Alter("given_before"),) if kind == "same_day_twice" else (Alter("journal_lost", {"kind": kind}),)


def save_fails(given: Given, place: Place) -> tuple[Action, ...]:
    """Nothing is written any more."""
    return (Alter("record_fails", {"kind": given["kind"]}),)


def configuration(given: Given, place: Place) -> tuple[Action, ...]:
    """A file is not the one that was resolved at the start."""
    return (Alter("config_changes", {"file": given["file"], "kind": given["kind"]}),)


def convention(given: Given, place: Place) -> tuple[Action, ...]:
    """Numbers of another coordinate system."""
    return (Alter("convention", {"kind": given["kind"]}),)


def unless_slower(given: Given) -> Demand:
    """A way that is too fast makes the dose slower: that may be delivered."""
    return "either" if word(given, "kind") in ("speed", "acceleration") else "react"


MODES = (
    Mode("DAT-01", 1, "data", "plan", "corrupted_or_truncated", "the plan file is damaged or cut short",
         ("load", "setup", "arm"), "S4", ("PLAN_INTEGRITY",), ("prevent_start",), "at_load", corrupted,
         {"kind": Choice(("bitflip", "truncate", "missing_tag", "checksum"))}, source="New York 2010 reports"),
    Mode("DAT-02", 2, "data", "plan", "wrong_machine_or_mlc_model", "the plan was made for another collimator",
         ("load",), "S4", ("PLAN_BIND", "PLAN_FEAS"), ("prevent_start",), "at_load", other_mlc, source="AAPM TG-100"),
    Mode("DAT-03", 1, "data", "plan", "control_points_lost_field_open", "leaf data are lost, and the MU are not",
         ("load", "setup"), "S4", ("PLAN_INTEGRITY", "PLAN_FEAS", "RX_HASH"), ("prevent_start",), "before_beam", points_lost,
         {"kind": Choice(("mlc_missing", "last_cp_only", "jaws_max"))}, source="New York 2005"),
    Mode("DAT-04", 2, "data", "plan", "infeasible_control_points", "control points that no machine can follow",
         ("load",), "S3", ("PLAN_FEAS",), ("prevent_start",), "at_load", infeasible,
         {"kind": Choice(("mu_non_monotone", "speed", "acceleration", "out_of_range", "duplicate_index"))},
         source="own judgement", demand=unless_slower),
    Mode("DAT-05", 1, "data", "record", "fraction_already_delivered", "this fraction was given already, or the record forgets it",
         ("load",), "S4", ("FRACTION", "RESUME_LIMIT"), ("prevent_start",), "at_load", given_already,
         {"kind": Choice(("same_day_twice", "counter_reset", "partial_forgotten"))}, source="AAPM TG-100"),
    Mode("DAT-06", 2, "data", "record", "save_fails_after_delivery", "what was given cannot be written down",
         ("record", "beam_on"), "S4", ("LOG_FAIL", "LOG_LOST"), ("prevent_start",), "time", save_fails,
         {"kind": Choice(("disk", "db_locked", "power")), "retry": Range(0, 5, 0, whole=True)}, max_detection_ms=1000,
         activation="transient", source="New York 2010 reports"),
    Mode("DAT-07", 2, "data", "config", "calibration_or_limits_swapped", "a configuration file is not the one of the start",
         ("load", "setup"), "S4", ("CFG_INTEGRITY",), ("prevent_start",), "before_beam", configuration,
         {"file": Choice(("tolerances", "interlock_table", "mu_per_cgy", "leaf_offsets")),
          "kind": Choice(("edited", "older", "other_machine"))}, source="own judgement"),
    Mode("DAT-08", 2, "data", "plan", "coordinate_convention_mismatch", "the plan's numbers are of another coordinate system",
         ("load",), "S4", ("PLAN_BIND", "PATIENT_ORIENT"), ("prevent_start",), "before_beam", convention,
         {"kind": Choice(("HFS_FFS", "iec61217_vs_native", "couch_sign", "gantry_180"))},
         limits=("miss_mm <= 1.0 @beam",), needs=("imaging",), source="own judgement"),
)
