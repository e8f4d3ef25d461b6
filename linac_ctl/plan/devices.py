"""Jaws and leaves of a beam's control points, from DICOM's order (bank B, X1 side, first) to ours (bank A first)."""

import numpy as np

from linac_ctl.plan.dicom_fields import Item
from linac_ctl.plan.grid import to_mm
from linac_ctl.plan.model import Floats
from linac_ctl.plan.points import KNOWN, OTHER_DEVICE, Point

CROSSED_MM = 0.05  # opposed leaves of real plans overlap by rounding, never by this much


def declared(beam: Item) -> dict[str, Item]:
    """Beam limiting devices of the beam, by name without the ASYM prefix; PlanError for kinds that we do not know."""
    found: dict[str, Item] = {}
    for item in beam.items("BeamLimitingDeviceSequence"):
        name = item.text("RTBeamLimitingDeviceType").upper().removeprefix("ASYM")
        if name not in KNOWN:
            raise beam.where.refuse(
                "RTBeamLimitingDeviceType",
                f"is {name or 'empty'!r}; known are X, Y, ASYMX, ASYMY and MLCX",
                OTHER_DEVICE,
            )
        if name in found:
            raise beam.where.refuse("RTBeamLimitingDeviceType", f"declares device {name} twice")
        found[name] = item
    return found


def jaws(points: list[Point]) -> Floats:
    """(n, 4) mm X1 X2 Y1 Y2; NaN where the plan has no such jaw."""
    table = np.full((len(points), 4), np.nan)
    for i, point in enumerate(points):
        for column, name in ((0, "X"), (2, "Y")):
            if name in point.positions:
                table[i, column : column + 2] = _jaw_pair(point, name)
    _require_from_the_start(points, "X", "Y")
    return to_mm(table)


def _jaw_pair(point: Point, name: str) -> tuple[float, ...]:
    pair = point.positions[name]
    if len(pair) != 2:
        raise point.item.where.refuse("LeafJawPositions", f"of jaw {name} holds {len(pair)} values, not 2")
    if pair[0] > pair[1]:
        raise point.item.where.refuse(
            "LeafJawPositions", f"of jaws {name}1 {pair[0]:g} mm and {name}2 {pair[1]:g} mm are crossed"
        )
    return pair


def leaves(points: list[Point], devices: dict[str, Item], beam: Item) -> tuple[Floats | None, Floats | None]:
    """((n, 2 p) mm bank A then B, or None; (p + 1,) mm leaf sides, or None)."""
    sides = boundaries(devices["MLCX"]) if "MLCX" in devices else None
    if not any("MLCX" in point.positions for point in points):
        return None, sides
    if sides is None:
        raise beam.where.refuse("BeamLimitingDeviceSequence", "does not declare the MLCX whose leaf positions follow")
    _require_from_the_start(points, "MLCX")
    return to_mm([_banks(point, len(sides) - 1) for point in points]), sides


def boundaries(device: Item) -> Floats:
    """(p + 1,) mm, rising."""
    sides = to_mm(device.numbers("LeafPositionBoundaries"))
    pairs = device.whole("NumberOfLeafJawPairs")
    if len(sides) != pairs + 1:
        raise device.where.refuse(
            "LeafPositionBoundaries", f"holds {len(sides)} values for {pairs} leaf pairs, not {pairs + 1}"
        )
    if not (np.diff(sides) > 0.0).all():
        raise device.where.refuse("LeafPositionBoundaries", "do not rise from -Y to +Y")
    return sides


def _banks(point: Point, pairs: int) -> Floats:
    values = np.array(point.positions["MLCX"])
    if len(values) != 2 * pairs:
        raise point.item.where.refuse(
            "LeafJawPositions", f"of MLCX holds {len(values)} values for {pairs} leaf pairs, not {2 * pairs}"
        )
    bank_b, bank_a = values[:pairs], values[pairs:]
    if (bank_a < bank_b - CROSSED_MM).any():
        worst = int(np.argmin(bank_a - bank_b))
        raise point.item.where.refuse(
            "LeafJawPositions",
            f"of leaf pair {worst + 1}: bank B at {bank_b[worst]:g} mm and bank A at "
            f"{bank_a[worst]:g} mm are crossed by {bank_b[worst] - bank_a[worst]:g} mm > {CROSSED_MM} mm",
        )
    return np.concatenate([bank_a, bank_b])


def _require_from_the_start(points: list[Point], *names: str) -> None:
    for name in names:
        late = [i for i, point in enumerate(points) if name in point.positions]
        if late and late[0] > 0:
            raise points[0].item.where.refuse(
                "BeamLimitingDevicePositionSequence",
                f"gives no position of {name}, the first comes at control point {late[0]}",
            )
