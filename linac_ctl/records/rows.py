"""Rows with names: what was asked of every axis and what it did, one row every 20 ms."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linac_ctl.errors import RecordError

LEAF = re.compile(r"[AB]\d+")
UNITS = {"rate_mu_per_s": "MU/s", "expected_mu": "MU", "mu_1": "MU", "mu_2": "MU", "clearance_mm": "mm"}


@dataclass(frozen=True, slots=True)
class AxisColumns:
    """Where one axis is in a row."""

    name: str
    unit: str  # mm or deg
    setpoint: int
    readback: int

    @property
    def is_leaf(self) -> bool:
        """A17 and B3 are leaves; 'couch vertical' is not."""
        return LEAF.fullmatch(self.name) is not None


@cache
def axes_of(columns: tuple[str, ...]) -> tuple[AxisColumns, ...]:
    """Every axis that has a setpoint and a readback among these columns, in their order."""
    place = {name: i for i, name in enumerate(columns)}
    found = [(i, name.partition(".setpoint_")) for i, name in enumerate(columns) if ".setpoint_" in name]
    return tuple(AxisColumns(name, unit, i, place[f"{name}.readback_{unit}"]) for i, (name, _, unit) in found)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """(n, columns) float32. The cycle number is exact up to 16.7 million cycles (46 h)."""

    data: NDArray[Any]
    columns: tuple[str, ...]
    cycle_s: float

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, column: str) -> NDArray[Any]:
        """(n,) float32, a view; RecordError for a name that is not there."""
        if column not in self.columns:
            raise RecordError(f"rows: no column {column!r}; there are {', '.join(self.columns[:12])}, ...")
        return np.asarray(self.data[:, self.columns.index(column)])

    @property
    def t_s(self) -> NDArray[np.float64]:
        """(n,) s since the first cycle of the run."""
        return self["cycle"].astype(np.float64) * self.cycle_s

    @property
    def row_s(self) -> float:
        """Time between two rows, s; one cycle when there are fewer than two."""
        cycles = self["cycle"][:2]
        return float(cycles[1] - cycles[0]) * self.cycle_s if len(cycles) > 1 else self.cycle_s

    def axes(self) -> tuple[AxisColumns, ...]:
        """Every axis, in image order."""
        return axes_of(self.columns)

    def axis(self, name: str) -> AxisColumns | None:
        """The axis of that name, if it is fitted."""
        return next((axis for axis in self.axes() if axis.name == name), None)

    def setpoint(self, axis: AxisColumns) -> NDArray[Any]:
        """(n,) in the axis's unit."""
        return np.asarray(self.data[:, axis.setpoint])

    def readback(self, axis: AxisColumns) -> NDArray[Any]:
        """(n,) in the axis's unit."""
        return np.asarray(self.data[:, axis.readback])

    def beam_numbers(self) -> list[int]:
        """DICOM beam numbers in order of their first row."""
        numbers = self["beam"]
        values, first = np.unique(numbers, return_index=True)
        return [int(values[i]) for i in np.argsort(first) if values[i] >= 0]

    def where(self, mask: NDArray[Any]) -> "Rows":
        """The rows under a mask or at these indices; a copy."""
        return Rows(self.data[mask], self.columns, self.cycle_s)

    def span(self, first: int, last: int) -> "Rows":
        """Rows first .. last - 1, a view."""
        return Rows(self.data[first:last], self.columns, self.cycle_s)

    def of_beam(self, number: int) -> "Rows":
        """All rows while this field was in hand."""
        return self.where(self["beam"] == number)


def unit_of(column: str) -> str:
    """The unit a column wears, for headings; empty for counts and codes."""
    if column in UNITS:
        return UNITS[column]
    return column.rpartition("_")[2] if "." in column else ""
