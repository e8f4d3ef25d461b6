"""From sessions to margins: systematic and random parts, the recipe, direct coverage, and how sure we are of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device_models.patient.chance import stream

from ..errors import RefusedError
from .config import ArmConfig, StudyConfig
from .rows import PatientRow, SessionRow, needed

Floats = NDArray[np.float64]
PATIENTS = (0.90, 0.95)  # shares of patients whose target is to be covered
SYSTEMATIC, RANDOM = 2.5, 0.7  # van Herk 2000: 95 % dose to the CTV for 90 % of patients
CONFIDENCE = (0.025, 0.975)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """An arm's patients. mean and spread (p, f, 3) mm, not-a-number for sessions that were not treated; the rest (p,) mm."""

    mean: Floats
    spread: Floats
    margin_mean: Floats
    margin: Floats

    def pick(self, which: Any) -> "Sample":
        """Some patients, some of them more than once."""
        return Sample(self.mean[which], self.spread[which], self.margin_mean[which], self.margin[which])


@dataclass(frozen=True, slots=True)
class Number:
    """A result with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ArmResult:
    """All that is said about one arm. Lists are X Y Z."""

    name: str
    title: str
    patients: int
    sessions: int  # treated
    given_up: int
    images: float  # a session
    shifts: float
    set_ups: float  # repeated ones
    refused: int
    minutes: float  # from set-up to the last beam
    start_median_mm: float  # distance of the target's centre at the first beam
    start_p95_mm: float
    numbers: dict[str, Number]


def sample(sessions: Sequence[SessionRow], patients: Sequence[PatientRow]) -> Sample:
    """Rows of one arm, in any order; patients without a treated session are left out."""
    kept = {row.patient: row for row in sorted(patients, key=lambda r: r.patient) if row.fractions}
    place = {patient: k for k, patient in enumerate(kept)}
    fractions = 1 + max(row.fraction for row in sessions)
    mean, spread = np.full((2, len(kept), fractions, 3), np.nan)
    for row in sessions:
        if row.treated:
            mean[place[row.patient], row.fraction], spread[place[row.patient], row.fraction] = row.mean, row.spread
    margins = np.array([[row.margin_mean_mm, row.margin_mm] for row in kept.values()]).reshape(-1, 2)
    return Sample(mean, spread, margins[:, 0], margins[:, 1])


def quantities(data: Sample) -> dict[str, float]:
    """Every figure that gets an interval; mm."""
    days = (~np.isnan(data.mean[..., 0])).sum(1)
    several = days > 1
    own = np.nanmean(data.mean, axis=1)  # (p, 3)
    between = own.var(axis=0, ddof=1)
    left = np.where(np.isnan(data.mean), 0.0, data.mean - own[:, None, :])
    inter2 = (left**2).sum((0, 1)) / max(1, int((days[several] - 1).sum()))
    intra2 = np.nanmean(data.spread**2, axis=(0, 1))
    fractions = float(days.mean())
    systematic2 = np.maximum(0.0, between - inter2 / fractions)  # the mean of few days carries some of the random part
    random2 = inter2 + intra2
    few = SYSTEMATIC * np.sqrt(systematic2 + inter2 / fractions) + RANDOM * np.sqrt((1 - 1 / fractions) * inter2 + intra2)
    recipe = SYSTEMATIC * np.sqrt(systematic2) + RANDOM * np.sqrt(random2)
    found = {"recipe_mm": recipe.max(), "recipe_few_mm": few.max()}
    for share in PATIENTS:
        found[f"covers_{share * 100:.0f}_mm"] = needed(data.margin, share)
        found[f"covers_mean_{share * 100:.0f}_mm"] = needed(data.margin_mean, share)
    for name, values in (("bias", own.mean(0)), ("systematic", np.sqrt(systematic2)), ("random", np.sqrt(random2)),
                         ("recipe", recipe), ("recipe_few", few)):
        found |= {f"{name}_{axis}_mm": value for axis, value in zip("xyz", values)}
    return {name: float(value) for name, value in found.items()}


def with_intervals(data: Sample, count: int, seed: int, name: str) -> dict[str, Number]:
    """Bootstrap over patients (percentiles): sessions of one patient are not independent."""
    values = quantities(data)
    patients = len(data.margin)
    draws = drawn(count * patients, stream(seed, f"bootstrap/{name}")).reshape(count, patients)
    again = [quantities(data.pick((row * patients).astype(np.intp))) for row in draws]
    limits = {key: np.quantile([one[key] for one in again], CONFIDENCE) for key in values}
    return {key: Number(value, float(limits[key][0]), float(limits[key][1])) for key, value in values.items()}


def drawn(count: int, key: np.uint64) -> Floats:
    """(count,) numbers in [0, 1): SplitMix64 in counter mode (Steele 2014)."""
    with np.errstate(over="ignore"):
        z = key + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    unit: Floats = (z >> np.uint64(11)).astype(float) * 2.0**-53
    return unit


def arm_result(
    arm: ArmConfig, study: StudyConfig, seed: int, sessions: Sequence[SessionRow], patients: Sequence[PatientRow]
) -> ArmResult:
    """One arm in numbers; RefusedError when fewer than two patients were treated in it."""
    treated = [row for row in sessions if row.treated]
    if len({row.patient for row in treated}) < 2:
        raise RefusedError(f"study {study.name}, arm {arm.name}: fewer than two patients were treated; look at its limits")
    data, start = sample(sessions, patients), np.array([row.start_mm for row in treated])
    images, shifts, set_ups, seconds = np.mean([[r.images, r.shifts, r.set_ups, r.session_s] for r in sessions], axis=0).tolist()
    return ArmResult(
        arm.name, arm.title, len(data.margin), len(treated), len(sessions) - len(treated), images, shifts, set_ups,
        sum(row.refused for row in sessions), seconds / 60.0, needed(start, 0.5), needed(start, 0.95),
        with_intervals(data, study.bootstrap, seed, arm.name),
    )
