"""Typed reading of DICOM attributes: a value of the right kind, or a PlanError that says which attribute is wrong."""

import math
from dataclasses import dataclass, replace
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from linac_ctl.errors import PlanError

EXPORT_AGAIN = "export the plan again and compare it with the planning system"


def tag_text(keyword: str) -> str:
    """`(300A,0134) CumulativeMetersetWeight`."""
    tag = tag_for_keyword(keyword)
    return keyword if tag is None else f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {keyword}"


@dataclass(frozen=True, slots=True)
class Where:
    """Which part of which file is being read."""

    file: str
    beam: str = ""
    point: int | None = None

    def __str__(self) -> str:
        parts = [self.beam] if self.beam else []
        if self.point is not None:
            parts.append(f"control point {self.point}")
        return f"{self.file}: {', '.join(parts)}" if parts else self.file

    def refuse(self, keyword: str, problem: str, advice: str = EXPORT_AGAIN) -> PlanError:
        """The error to raise: who, which attribute, what is wrong with it, what next."""
        return PlanError(f"{self}: {tag_text(keyword)} {problem}; {advice}")


@dataclass(frozen=True, slots=True)
class Item:
    """One dataset (of a sequence) and where it stands."""

    data: Dataset
    where: Where

    def at(self, **where: Any) -> "Item":
        """The same data under a more precise name."""
        return replace(self, where=replace(self.where, **where))

    def value(self, keyword: str) -> Any:
        """The raw value; None when absent or empty."""
        try:
            value = self.data.get(keyword)
        except Exception as exc:  # pydicom converts late, and each kind of damage has its own exception
            raise self.where.refuse(keyword, f"cannot be read ({exc})") from exc
        return None if value is None or (hasattr(value, "__len__") and len(value) == 0) else value

    def text(self, keyword: str, default: str = "") -> str:
        """One text, stripped."""
        value = self.value(keyword)
        return default if value is None else str(value).strip()

    def maybe_number(self, keyword: str) -> float | None:
        """One finite number, or None when absent or empty."""
        value = self.value(keyword)
        return None if value is None else self._finite(keyword, value)

    def number(self, keyword: str) -> float:
        """One finite number that must be there."""
        value = self.maybe_number(keyword)
        if value is None:
            raise self.where.refuse(keyword, "is missing")
        return value

    def whole(self, keyword: str) -> int:
        """One whole number that must be there."""
        value = self.number(keyword)
        if value != int(value):
            raise self.where.refuse(keyword, f"is {value:g}, not a whole number")
        return int(value)

    def numbers(self, keyword: str) -> tuple[float, ...]:
        """Finite numbers; empty when absent."""
        value = self.value(keyword)
        if value is None:
            return ()
        many = value if hasattr(value, "__iter__") and not isinstance(value, (str, bytes)) else (value,)
        return tuple(self._finite(keyword, v) for v in many)

    def items(self, keyword: str) -> tuple["Item", ...]:
        """The items of a sequence; empty when absent."""
        value = self.value(keyword)
        if value is None:
            return ()
        if isinstance(value, (str, bytes)) or not all(isinstance(v, Dataset) for v in value):
            raise self.where.refuse(keyword, "is not a sequence")
        return tuple(Item(v, self.where) for v in value)

    def _finite(self, keyword: str, value: Any) -> float:
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise self.where.refuse(keyword, f"is {str(value)[:40]!r}, not a number") from None
        if not math.isfinite(number):
            raise self.where.refuse(keyword, f"is {number}, not a finite number")
        return number
