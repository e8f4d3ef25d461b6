"""Names of words: every wire, every truth and parameter of the plant, and the words that a moment can wait for.

`gantry.readback` is a wire (all axes of the device), `couch[vertical].readback_2` one of them, `plant.mlc[17].moves` a
parameter or truth of the plant, `control.job.phase` a word of the controller's memory.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ..faults.errors import FaultError, nearest
from ..interface.image import AXIS, BEAM, NODE, SAFETY, Couch, Image, Node
from ..parts.live import NAMES as LIVE
from .allowed import bounds
from .noise_floor import floors

PATH = re.compile(r"^(?:(plant|control)\.)?(\w+)(?:\[([^\]]+)\])?\.(\w+)(?:\[(\d+)\])?$")
OUT = {
    AXIS: ("setpoint",), NODE: ("enable", "said_cycle"),
    BEAM: ("permit", "hv_request", "rate_mu_per_s", "mode", "clear_dose", "said_cycle"),
    SAFETY: ("response", "preset_mu", "time_limit_s", "start_mu", "arm", "reset", "selftest"),
}
CHAMBERS = ("1", "2", "backup")


@dataclass(frozen=True, slots=True)
class Word:
    """Where a number is."""

    part: int
    word: int
    whole: bool
    path: str
    out: bool  # written by the controller


def words_of(record: Any) -> tuple[Any, Any]:
    """A part as plain numbers and as whole numbers: the same memory, (n words,) each."""
    flat = record.view(np.ndarray).reshape(-1)
    return flat.view(np.float64), flat.view(np.int64)


class Words:
    """The parts of one machine and its controller by name."""

    def __init__(self, image: Image, plant: Any, job: Any, axes: Mapping[str, Iterable[str]]) -> None:
        """`axes`: device -> names of its axes, as the machine file has them."""
        parts: dict[str, Any] = dict(zip(image._fields, image))
        parts |= {f"plant.{name}": part for name, part in zip(plant._fields, plant)
                  if isinstance(part, np.ndarray) and part.dtype.names is not None}
        self.parts = parts | {"control.job": job}
        self.names = list(self.parts)
        views = [words_of(part) for part in self.parts.values()]
        self.floats, self.wholes = tuple(f for f, _ in views), tuple(i for _, i in views)
        self.noise, self.bounds = floors(image, plant), bounds(image)
        self.axes = {device: [name.lower() for name in names] for device, names in axes.items()}

    def find(self, path: str) -> tuple[Word, ...]:
        """All words of a path; FaultError with what there is."""
        match = PATH.match(path)
        if match is None:
            raise FaultError(f"{path!r}: not a name like gantry.readback, couch[vertical].setpoint or plant.mlc[17].moves")
        side, device, index, field, element = match.groups()
        name = device if side is None else f"{side}.{device}"
        if name not in self.parts:
            raise FaultError(f"{path!r}: no {name!r}{nearest(name, self.names)}")
        part = self.parts[name]
        if field not in (part.dtype.names or ()):
            raise FaultError(f"{path!r}: {name} has no {field!r}{nearest(field, list(part.dtype.names or ()))}")
        rows = range(len(part)) if index is None else [self._row(path, device, part, index)]
        count = prod(part.dtype[field].shape)
        if element is not None and int(element) >= count:
            raise FaultError(f"{path!r}: {field} has {count} element(s), none of them is {element}")
        return tuple(self._words(name, rows, field, range(count) if element is None else [int(element)]))

    def one(self, path: str) -> Word:
        """The only word of a path; FaultError for several, or none."""
        found = self.find(path)
        if len(found) != 1:
            raise FaultError(f"{path!r}: {len(found)} words; name one of them, like {path.replace('.', '[0].', 1)}")
        return found[0]

    def _row(self, path: str, device: str, part: Any, index: str) -> int:
        names = self._row_names(device)
        row = int(index) if index.isdigit() else names.index(index.lower()) if index.lower() in names else -1
        if not 0 <= row < len(part):
            known = f"; there are {', '.join(names[:12])}{' ...' if len(names) > 12 else ''}" if names else ""
            raise FaultError(f"{path!r}: {device} has {len(part)}, none of them is {index}{known}")
        return row

    def _row_names(self, device: str) -> list[str]:
        fixed = {"nodes": [n.name.lower() for n in Node], "couch": [c.name.lower() for c in Couch], "live": list(LIVE),
                 "chambers": list(CHAMBERS)}
        return fixed.get(device) or self.axes.get(device, [])

    def _words(self, name: str, rows: Iterable[int], field: str, elements: Iterable[int]) -> list[Word]:
        """Of these rows of a part, one after the other."""
        dtype, part = self.parts[name].dtype, self.names.index(name)
        kind, offset = dtype.fields[field][:2]
        whole, out = kind.base.kind == "i", "." not in name and field in OUT.get(dtype, ())
        return [Word(part, (row * dtype.itemsize + offset) // 8 + k, whole, f"{name}[{row}].{field}", out)
                for row in rows for k in elements]

    def wires(self, device: str) -> tuple[Word, ...]:
        """All wires of one device, its node's with them; FaultError for a device that is not there."""
        known = [node.name.lower() for node in Node]
        if device not in known:
            raise FaultError(f"{device!r}: no device{nearest(device, known)}")
        own, found = self.parts.get(device), []
        for name, rows in ((device, range(0 if own is None else len(own))), ("nodes", [known.index(device)])):
            for field in self.parts[name].dtype.names or () if rows else ():
                found += self._words(name, rows, field, range(prod(self.parts[name].dtype[field].shape)))
        return tuple(found)

    def noise_of(self, word: Word) -> float:
        """Differences up to this are none."""
        return float(self.noise[word.part][word.word]) if word.part < len(self.noise) else 0.0

    def bound_of(self, word: Word) -> float:
        """What it may be off before somebody has to notice; see `allowed`."""
        return float(self.bounds[word.part][word.word]) if word.part < len(self.bounds) else 0.0

    def get(self, word: Word) -> float:
        """Its value."""
        return float(self.wholes[word.part][word.word] if word.whole else self.floats[word.part][word.word])

    def put(self, word: Word, value: float) -> None:
        """Another value."""
        if word.whole:
            self.wholes[word.part][word.word] = round(value)
        else:
            self.floats[word.part][word.word] = value
