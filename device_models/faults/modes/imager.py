"""Images and what is made of them: exposures, frames, geometry, registration, shifts."""

from ..action import Action, Alter, Write
from .mode import Choice, Demand, Given, Mode, Place, Range
from .parts import number


def black(given: Given, place: Place) -> tuple[Action, ...]:
    """Nothing comes of the exposures."""
    return (Alter("black", dict(given)),)


def again(given: Given, place: Place) -> tuple[Action, ...]:
    """The tube gives more than was asked for."""
    return (Alter("exposed_again", dict(given)),)


def technique(given: Given, place: Place) -> tuple[Action, ...]:
    """The generator is set otherwise."""
    return (Alter("technique", dict(given)),)


def frames(given: Given, place: Place) -> tuple[Action, ...]:
    """Frames that are missing, or that are the one before."""
    return (Alter("frames_lost", dict(given)),)


def geometry(given: Given, place: Place) -> tuple[Action, ...]:
    """Every frame from elsewhere than it says."""
    return (Alter("kv_geometry", dict(given)),)


def flipped(given: Given, place: Place) -> tuple[Action, ...]:
    """Every frame mirrored or turned."""
    return (Alter("flipped", dict(given)),)


def foreign(given: Given, place: Place) -> tuple[Action, ...]:
    """Another patient's images, reference or plan."""
    return (Alter("foreign", dict(given)),)


def stale(given: Given, place: Place) -> tuple[Action, ...]:
    """Old images in place of new ones."""
    return (Alter("stale_frames", dict(given)),)


def optimum(given: Given, place: Place) -> tuple[Action, ...]:
    """The match is somewhere else."""
    return (Alter("wrong_optimum", dict(given)),)


def no_match(given: Given, place: Place) -> tuple[Action, ...]:
    """The match is none."""
    return (Alter("no_match", dict(given)),)


def late(given: Given, place: Place) -> tuple[Action, ...]:
    """The match of the images before."""
    return (Alter("late_match", dict(given)),)


def order(given: Given, place: Place) -> tuple[Action, ...]:
    """The couch is sent elsewhere."""
    return (Alter("wrong_order", dict(given)),)


def arm(given: Given, place: Place) -> tuple[Action, ...]:
    """The detector arm goes away from its place until its power is taken away; at 0 mm/s it stands there already."""
    speed, error = float(given["v_mm_s"]), float(given["err_mm"])
    if speed > 0.0:
        return (Write("plant.kv_arms[1].slides", speed),)
    return (Write("plant.kv_arms[1].bias", error),)


def unasked(given: Given, place: Place) -> tuple[Action, ...]:
    """The tube fires during the beam."""
    return (Alter("exposure_unasked"),)


def bad_enough(given: Given) -> Demand:
    """An image that shows the patient is good enough; its dose is another matter."""
    return "either"


def a_frame_at_least(given: Given) -> Demand:
    """A share of a few frames may be none."""
    return "react" if number(given, "p") >= 0.5 else "either"


MODES = (
    Mode("IMG-01", 2, "imager", "kv", "no_exposure_or_black_image", "exposures that give no image",
         ("imaging",), "S2", ("IMG_QUALITY",), ("prevent_start",), "before_beam", black,
         {"cause": Choice(("tube", "generator", "panel")), "n": Range(1, 10_000, 10_000, whole=True)}, needs=("imaging",),
         source="own judgement"),
    Mode("IMG-02", 1, "imager", "kv", "exposure_stuck_on_or_repeated", "the tube gives more exposures, or longer ones, than asked",
         ("imaging",), "S3", ("KV_MV_EXCL", "IMG_QUALITY"), ("kv_off",), "before_beam", again,
         {"factor": Range(1.2, 100, 2), "repeat": Range(1, 20, 1, whole=True)}, max_detection_ms=20, max_reaction_ms=5,
         limits=("kv_mas <= 1.1 * set",), needs=("imaging",), source="own judgement"),
    Mode("IMG-03", 2, "imager", "kv", "technique_wrong", "the generator uses another kV and mAs than asked for",
         ("imaging",), "S2", ("IMG_QUALITY",), ("prevent_start",), "before_beam", technique,
         {"kv_factor": Range(0.7, 1.3, 0.8), "mas_factor": Range(0.2, 5, 2)}, needs=("imaging",), source="own judgement",
         demand=bad_enough),
    Mode("IMG-04", 1, "imager", "panel", "frames_frozen_dropped_repeated", "frames are missing, or are the one before",
         ("imaging",), "S3", ("IMG_QUALITY",), ("prevent_start",), "before_beam", frames,
         {"p": Range(0.01, 1, 0.1), "run": Range(1, 600, 10, whole=True), "kind": Choice(("freeze", "drop", "repeat"))},
         activation="intermittent", needs=("imaging",), source="own judgement", demand=a_frame_at_least),
    Mode("IMG-05", 1, "imager", "kv", "geometry_offset_or_angle_mistag", "every frame comes from elsewhere than it says",
         ("imaging",), "S4", ("KV_POS", "KV_DIS", "REG_QUALITY"), ("prevent_start",), "before_beam", geometry,
         {"offset_mm": Range(0.5, 10, 3), "angle_deg": Range(0.2, 5, 0.5), "lag_ms": Range(0, 100, 0)},
         limits=("miss_mm <= 1.0 @beam",), needs=("imaging",), source="AAPM TG-142; FDA recall 89892"),
    Mode("IMG-06", 2, "imager", "registration", "image_flipped_or_orientation", "images show the patient the other way round",
         ("imaging", "registration"), "S4", ("REG_QUALITY", "PATIENT_ORIENT"), ("prevent_start",), "before_beam", flipped,
         {"kind": Choice(("lr", "ap", "si", "HFS_FFS", "supine_prone"))}, limits=("miss_mm <= 1.0 @beam",),
         needs=("imaging",), source="own judgement"),
    Mode("IMG-07", 1, "imager", "registration", "wrong_patient_image", "images, reference or plan of somebody else are compared",
         ("imaging", "registration", "approve"), "S4", ("PATIENT_ID", "IMG_BIND", "APPROVAL_BIND", "REG_QUALITY"),
         ("prevent_start",), "before_beam", foreign, {"swap": Choice(("patient", "plan", "reference_ct"))},
         activation="transient", needs=("imaging",), source="AAPM TG-100"),
    Mode("IMG-08", 1, "imager", "registration", "stale_image_reused", "images of before are shown as new ones",
         ("imaging", "registration", "approve"), "S4", ("IMG_STALE", "IMG_QUALITY", "IMG_BIND"), ("prevent_start",),
         "before_beam", stale,
         {"kind": Choice(("pre_shift", "previous_fraction", "previous_session")), "age_s": Range(60, 86_400, 3600)},
         limits=("miss_mm <= 1.0 @beam",), activation="transient", needs=("imaging",), source="AAPM TG-100"),
    Mode("IMG-09", 1, "imager", "registration", "wrong_optimum", "the registration finds a place that is not the right one",
         ("imaging", "registration"), "S4", ("SHIFT_RANGE", "REG_QUALITY", "POS_UNVERIFIED"), ("prevent_start",), "before_beam",
         optimum,
         {"err_mm": Range(3, 40, 28), "err_deg": Range(0, 10, 0), "kind": Choice(("vertebra", "local_min", "couch_edge")),
          "times": Range(1, 1000, 1, whole=True)},
         activation="transient", needs=("imaging",), source="AAPM TG-100"),
    Mode("IMG-10", 2, "imager", "registration", "low_confidence_nan_timeout", "the registration says nothing that can be used",
         ("imaging", "registration"), "S4", ("REG_QUALITY", "SHIFT_RANGE", "DATA_RANGE"), ("prevent_start",), "before_beam",
         no_match, {"kind": Choice(("nan", "inf", "timeout", "empty", "exception"))}, activation="transient",
         needs=("imaging",), source="own judgement"),
    Mode("IMG-11", 1, "imager", "registration", "late_or_out_of_order_result", "the match of earlier images comes after later ones",
         ("imaging", "registration", "approve"), "S4", ("IMG_BIND", "IMG_STALE", "APPROVAL_BIND", "POS_UNVERIFIED"),
         ("prevent_start",), "before_beam", late, {"delay_s": Range(1, 120, 30)}, limits=("miss_mm <= 1.0 @beam",),
         activation="transient", needs=("imaging",), source="own judgement"),
    Mode("IMG-12", 1, "imager", "registration", "shift_sign_axis_or_unit", "the couch is sent the wrong way, or ten times as far",
         ("registration", "approve", "shift"), "S4", ("SHIFT_RANGE", "POS_UNVERIFIED", "POS_CHANGED", "COUCH_POS"),
         ("prevent_start",), "before_beam", order, {"kind": Choice(("sign", "axis_swap", "mm_cm", "deg_rad", "convention"))},
         limits=("miss_mm <= 1.0 @beam",), needs=("imaging",), source="RO-ILS; PMC7075372"),
    Mode("IMG-13", 2, "imager", "kv_arm", "not_in_position_or_drifting", "an arm of the imager is not where it should be",
         ("imaging", "beam_on"), "S3", ("KV_POS", "KV_DIS", "COLLISION"), ("motion_stop", "prevent_start"), "time", arm,
         {"err_mm": Range(1, 200, 10), "v_mm_s": Range(0, 50, 20)}, max_detection_ms=50, max_reaction_ms=200,
         needs=("kv_arms",), source="TGA RC-2014-RN-00363-1"),
    Mode("IMG-14", 2, "imager", "kv", "kv_and_mv_together_unplanned", "the kV tube fires during the treatment beam",
         ("beam_on",), "S2", ("KV_MV_EXCL",), ("kv_off",), "time", unasked, max_detection_ms=20, max_reaction_ms=5,
         activation="transient", source="own judgement"),
)
