"""A flat panel: quanta to counts pixel by pixel, with all that is wrong with a real one, and its own correction of it."""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from device_models.interface.kernels import finite, inlined, parallel_kernel, prange
from device_models.interface.volume import Floats, Pixels
from device_models.patient.chance import add_gauss, gauss, poisson, stream, uniforms

from .config import PanelConfig
from .errors import ExposureRefused
from .frame import Counts
from .scatter import glow

LARGEST_BINNING = 64


@inlined
def _between(cells, a, x, y):
    """Bilinear between the centres of coarse cells, flat beyond the outermost."""
    x = min(max(x, 0.0), cells.shape[1] - 1.0)
    y = min(max(y, 0.0), cells.shape[2] - 1.0)
    i = min(int(x), cells.shape[1] - 2) if cells.shape[1] > 1 else 0
    j = min(int(y), cells.shape[2] - 2) if cells.shape[2] > 1 else 0
    i1, j1 = min(i + 1, cells.shape[1] - 1), min(j + 1, cells.shape[2] - 1)
    fx, fy = x - i, y - j
    near = cells[a, i, j] + fy * (cells[a, i, j1] - cells[a, i, j])
    return near + fx * (cells[a, i1, j] + fy * (cells[a, i1, j1] - cells[a, i1, j]) - near)


@parallel_kernel
def _convert(integrals, cells, block, fraction, open_share, quanta, per_quantum, gain, offset, noise, keys, out):
    """out[a, iu, iv] counts before lag, one independent stream per frame."""
    columns, rows = out.shape[1], out.shape[2]
    for au in prange(out.shape[0] * columns):
        a = au // columns
        i = au - a * columns
        x = (i + 0.5) / block - 0.5
        for j in range(rows):
            glow_here = fraction * _between(cells, a, x, (j + 0.5) / block - 0.5)
            mean = quanta[a] * open_share[a, i, j] * (math.exp(-integrals[a, i, j]) + glow_here)
            number = 2 * (i * rows + j)
            counts = poisson(mean, keys[a], number) * per_quantum * gain[i, j]
            out[a, i, j] = counts + offset[i, j] + noise * gauss(keys[a], number + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """What differs from pixel to pixel at one binning, [column, row]; the panel knows all of it from its calibration."""

    gain: Pixels
    offset: Pixels
    bad: npt.NDArray[np.intp]  # (n, 2) column, row of known bad pixels: dead or stuck


@dataclass(slots=True, eq=False)
class Panel:
    """One panel of one machine; `seed` makes its pixels what they are. Faults write to `unknown_bad` and `stuck_counts`."""

    config: PanelConfig
    seed: int
    name: str
    unknown_bad: list[tuple[int, int]] = field(default_factory=list)  # column, row unbinned; its calibration is older than they are
    stuck_counts: float = 0.0
    _maps: dict[int, Maps] = field(default_factory=dict)
    _ghost: Pixels | None = None  # what the last frame left behind
    _ghost_at_s: float = 0.0

    def shape(self, binning: int) -> tuple[int, int, float]:
        """Columns, rows and pitch in mm at a binning; ExposureRefused if it is not a binning."""
        if not (isinstance(binning, int) and 1 <= binning <= LARGEST_BINNING):
            raise ExposureRefused(f"{self.name} panel: binning {binning}; a whole number from 1 to {LARGEST_BINNING}")
        return self.config.columns // binning, self.config.rows // binning, self.config.pitch_mm * binning

    def per_quantum(self, range_name: str, pitch_mm: float) -> float:
        """Counts per detected quantum in one pixel."""
        if range_name not in self.config.counts_per_quantum_mm2:
            there = ", ".join(self.config.counts_per_quantum_mm2)
            raise ExposureRefused(f"{self.name} panel: no range '{range_name}'; there are {there}")
        return self.config.counts_per_quantum_mm2[range_name] / pitch_mm**2

    def read(
        self, integrals: Pixels, open_share: Pixels, quanta: Floats, binning: int, range_name: str, times_s: Floats,
        numbers: list[int],
    ) -> list[Counts]:
        """(rows, columns) counts of every frame, in order of time.

        integrals and open_share (n, columns, rows); quanta (n,) per pixel in air; numbers name the frames' noise.
        """
        finite(f"{self.name} panel", integrals=integrals, open_share=open_share, quanta=quanta, times=times_s)
        pitch = self.shape(binning)[2]
        cells, block = glow(integrals, pitch, self.config.scatter_sigma_mm)
        maps, raw = self.maps(binning), np.empty_like(integrals)
        keys = np.array([stream(self.seed, f"{self.name}/frame/{number}") for number in numbers], np.uint64)
        noise = self.config.electronic_noise / binning  # counts are means over the binned pixels
        _convert(
            integrals, cells, block, self.config.scatter_fraction, open_share, np.ascontiguousarray(quanta, float),
            self.per_quantum(range_name, pitch), maps.gain, maps.offset, noise, keys, raw,
        )
        return [self._delivered(frame, maps, binning, float(t)) for frame, t in zip(raw, times_s, strict=True)]

    def _delivered(self, raw: Pixels, maps: Maps, binning: int, time_s: float) -> Counts:
        """Lag, saturation, then the panel's own correction; (rows, columns)."""
        top = np.float32(2**self.config.bits - 1)
        signal = self._with_lag(raw - maps.offset, time_s) + maps.offset
        self._spoil(signal, maps, binning)
        signal = np.rint(np.minimum(np.maximum(signal, np.float32(0.0)), top))
        full = signal >= top
        corrected = (signal - maps.offset) / maps.gain
        corrected[full] = top  # full is full: a correction would hide it
        _patch(corrected, maps.bad)
        return np.ascontiguousarray(np.rint(np.clip(corrected, 0.0, top)).astype(np.uint16).T)

    def _with_lag(self, signal: Pixels, time_s: float) -> Pixels:
        """A share of every frame comes late; the longer the pause, the less of it is left."""
        seen = signal
        if self._ghost is not None and self._ghost.shape == signal.shape:
            left = math.exp(-max(0.0, time_s - self._ghost_at_s) / self.config.lag_decay_s)
            seen = signal + np.float32(left) * self._ghost
        self._ghost = np.float32(self.config.lag_share) * seen
        self._ghost_at_s = time_s
        return seen

    def _spoil(self, signal: Pixels, maps: Maps, binning: int) -> None:
        for column, row in (*maps.bad, *((c // binning, r // binning) for c, r in self.unknown_bad)):
            if 0 <= column < signal.shape[0] and 0 <= row < signal.shape[1]:
                signal[column, row] = self.stuck_counts

    def maps(self, binning: int) -> Maps:
        """Computed once for a binning: the mean over n x n pixels varies n times less."""
        if binning not in self._maps:
            columns, rows, _ = self.shape(binning)
            gain, offset = np.ones(columns * rows, np.float32), np.full(columns * rows, self.config.dark_counts, np.float32)
            add_gauss(gain, self.config.gain_spread / binning, stream(self.seed, f"{self.name}/gain/{binning}"))
            add_gauss(offset, self.config.dark_spread / binning, stream(self.seed, f"{self.name}/offset/{binning}"))
            np.clip(gain, 0.5, 2.0, out=gain)
            self._maps[binning] = Maps(gain.reshape(columns, rows), offset.reshape(columns, rows), self._bad(binning))
        return self._maps[binning]

    def _bad(self, binning: int) -> npt.NDArray[np.intp]:
        """Binned pixels that hold a bad one are bad when they are small; in large ones the rest outvotes it."""
        if binning > 4:
            return np.zeros((0, 2), np.intp)
        luck = np.array(uniforms(self.seed, f"{self.name}/bad", 2 * self.config.bad_pixels)).reshape(-1, 2)
        columns, rows, _ = self.shape(binning)
        found = (luck * [self.config.columns, self.config.rows]).astype(np.intp) // binning
        return np.unique(found[(found[:, 0] < columns) & (found[:, 1] < rows)], axis=0)


def _patch(image: Pixels, bad: npt.NDArray[np.intp]) -> None:
    """Known bad pixels get the mean of their neighbours along the row, as far as those are good."""
    known = {(int(c), int(r)) for c, r in bad}
    for column, row in bad:
        beside = [c for c in range(int(column) - 2, int(column) + 3) if 0 <= c < image.shape[0]]
        near = [c for c in beside if (c, int(row)) not in known]
        if near:
            image[column, row] = image[near, row].mean()
