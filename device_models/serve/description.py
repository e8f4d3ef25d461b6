"""What a device tells of itself: one item per `DD`."""

from collections.abc import Sequence

from ..interface.wire.fields import Unit

NAMES = {
    "gantry": ("gantry",), "collimator": ("collimator",), "carriages": ("A", "B"),
    "couch": ("lateral", "longitudinal", "vertical", "rotation", "pitch", "roll"),
    "kv_arms": ("source_vertical", "detector_vertical", "detector_lateral", "detector_longitudinal"),
    "mv_arm": ("detector_vertical", "detector_lateral", "detector_longitudinal"),
}
JAWS = {4: ("X1", "X2", "Y1", "Y2"), 2: ("Y1", "Y2")}
ANGLES = {"gantry": (0,), "collimator": (0,), "couch": (3, 4, 5)}


def axis_name(unit: Unit, axis: int, axes: int) -> str:
    """As the field calls it."""
    if unit.name == "mlc":
        return f"{'AB'[axis // (axes // 2)]}{axis % (axes // 2) + 1}"
    names = JAWS[axes] if unit.name == "jaws" else NAMES[unit.name]
    return names[axis]


def axis_unit(unit: Unit, axis: int) -> str:
    """um or mdeg."""
    return "mdeg" if axis in ANGLES.get(unit.name, ()) else "um"


def items(unit: Unit, limits: Sequence[tuple[int, int, int, int]], verbs: Sequence[str], watchdog_ms: int,
          telemetry_ms: int) -> list[str]:
    """Axes, parameters, verbs, values in and out."""
    return [
        *(f"axis={i} name={axis_name(unit, i, len(limits))} unit={axis_unit(unit, i)} low={low} high={high} vmax={speed} "
          f"amax={accel}"
          for i, (low, high, speed, accel) in enumerate(limits)),
        f"par=WD unit=ms low=20 high=10000 now={watchdog_ms}",
        f"par=TM unit=ms low=0 high=10000 now={telemetry_ms}",
        *(f"verb={verb}" for verb in verbs),
        *(f"in={value.name} unit={value.unit}" for value in unit.hears),
        *(f"out={value.name} unit={value.unit}" for value in unit.says),
    ]
