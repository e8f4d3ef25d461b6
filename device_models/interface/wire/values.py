"""Numbers of a unit between the image and the arguments of a line; both directions, both sides."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from .blocks import pack_16, pack_24, unpack_16, unpack_24
from .fields import ALL, AXIS_PER, MOST_APART, Unit, Value
from .framing import integer

NAN = float("nan")
PLAIN = re.compile(r"(?:-?[0-9]{1,9}|nan)(?: (?:-?[0-9]{1,9}|nan))*", re.ASCII)
PER = float(AXIS_PER)


def number(text: str) -> float | None:
    """An integer or `nan` as a float; None for anything else."""
    if text == "nan":
        return NAN
    value = integer(text)
    return None if value is None else float(value)


def numbers(args: Sequence[str]) -> list[float] | None:
    """All of them, or None if one is none."""
    if PLAIN.fullmatch(" ".join(args)):  # nearly always: numbers that need no look at their range
        return list(map(float, args))
    found = [number(text) for text in args]
    return None if None in found else found  # type: ignore[return-value]


def words(values: Any) -> str:
    """(n,) f8 whole numbers as arguments."""
    return " ".join([str(int(value)) if value == value else "nan" for value in values.tolist()])


# --- axes


def say_targets(unit: Unit, wires: Any) -> str:
    """Targets of all axes. wires: AXIS (n,)"""
    whole = np.rint(wires["setpoint"] * PER)
    return f"B={pack_24(whole)}" if unit.blocks else words(whole)


def hear_targets(unit: Unit, args: Sequence[str], n: int) -> Any:
    """-> (n,) f8 in mm or deg, or None if these are not n targets."""
    if unit.blocks:
        whole = unpack_24(args[0][2:], n) if len(args) == 1 and args[0].startswith("B=") else None
        return None if whole is None else whole / PER
    found = numbers(args) if len(args) == n else None
    return None if found is None else np.array(found) / PER


def say_readings(unit: Unit, wires: Any) -> str:
    """First readings of all axes, then how far the second encoders are off them."""
    first = np.rint(wires["readback"] * PER)
    apart = np.rint(wires["readback_2"] * PER) - first
    if unit.blocks:
        return f"B={pack_24(first)} D={pack_16(apart)}"
    return f"{words(first)} {words(np.minimum(np.maximum(apart, -MOST_APART), MOST_APART))}"


def hear_readings(unit: Unit, args: Sequence[str], wires: Any) -> bool:
    """Into the wires; False, and nothing written, if these are not the readings of n axes."""
    n = len(wires)
    if unit.blocks:
        fit = len(args) == 2 and args[0].startswith("B=") and args[1].startswith("D=")
        first, apart = (unpack_24(args[0][2:], n), unpack_16(args[1][2:], n)) if fit else (None, None)
    else:
        found = numbers(args) if len(args) == 2 * n else None
        first, apart = (None, None) if found is None else (np.array(found[:n]), np.array(found[n:]))
    if first is None or apart is None:
        return False
    wires["readback"], wires["readback_2"] = first / PER, (first + apart) / PER
    return True


# --- everything else


def say_values(values: Sequence[Value], record: Any) -> str:
    """record: (1,) of the image."""
    return " ".join(_word(value, record[value.record_field][0]) for value in values)


def _word(value: Value, cell: Any) -> str:
    at = float(cell if value.at == ALL else cell[value.at])
    return "nan" if at != at else str(round(at * value.per))


def hear_values(values: Sequence[Value], args: Sequence[str], record: Any) -> bool:
    """Into the record (1,); False, and nothing written, if these are not all of the values."""
    found = numbers(args) if len(args) == len(values) else None
    if found is None:
        return False
    for value, whole in zip(values, found):
        cell = record[value.record_field]
        if cell.dtype.kind == "i" and whole != whole:
            return False
        if value.at == ALL:
            cell[0] = whole / value.per if value.per != 1 else whole
        else:
            cell[0, value.at] = whole / value.per
    return True
