"""Words of the controller's memory that a fault turns over: what a cosmic ray or a stray pointer does."""

import re
from typing import Any

import numpy as np

from device_models.faults.action import Memory
from device_models.faults.errors import FaultError, nearest
from device_models.interface.image import Couch

from ..interlocks.table import InterlockTable

ROWS = {"couch": [axis.name.lower() for axis in Couch]}  # rows that have names, beside those of the interlocks
PATH = re.compile(r"^control\.(\w+)(?:\.(\w+))?(?:\[([^\]]+)\])?(?:\.(\w+))?$")


def flip(control: Any, table: InterlockTable, action: Memory) -> bool:
    """Write the value, or turn the bit over; -> True if the word is another one now. FaultError for a word that is not there."""
    array, at = place(control, table, action.path)
    before = array[at].copy()
    if action.flip_bit is not None:
        array[at] = (before.view(np.int64) ^ np.int64(1 << action.flip_bit)).view(before.dtype)
    elif action.value is not None:
        array[at] = action.value
    else:
        raise FaultError(f"{action.path}: neither a value nor a bit to turn over")
    return bool(before.tobytes() != array[at].tobytes())


def place(control: Any, table: InterlockTable, path: str) -> tuple[Any, Any]:
    """-> (array, index) of a word like control.job.phase, control.interlocks[ABORT].tripped, control.trajectory.mlc[3, 17]."""
    match = PATH.match(path)
    if match is None:
        raise FaultError(f"{path!r}: not a word like control.job.phase or control.interlocks[ABORT].tripped")
    part, inner, index, field = match.groups()
    if part not in control._fields:
        raise FaultError(f"{path!r}: no {part!r}{nearest(part, list(control._fields))}")
    array: Any = getattr(control, part)
    if isinstance(array, tuple):
        array, inner = getattr(array, inner or "", None), None
        if array is None:
            raise FaultError(f"{path!r}: no such table of the trajectory")
    name = field or inner
    if name is not None:
        if name not in (array.dtype.names or ()):
            raise FaultError(f"{path!r}: {part} has no {name!r}{nearest(name, list(array.dtype.names or ()))}")
        array = array[name]
    return array, row_of(ROWS.get(part) or [row.id for row in table.rows], index)


def row_of(ids: list[str], index: str | None) -> Any:
    """A number, two numbers, or the name of a row."""
    if index is None:
        return 0
    if index in ids:
        return ids.index(index)
    try:
        numbers = tuple(int(text) for text in index.split(","))
    except ValueError:
        raise FaultError(f"[{index}]: neither a number nor a name here{nearest(index, ids)}") from None
    return numbers if len(numbers) > 1 else numbers[0]
