"""What a study found: numbers of every arm, beside published ones; as one value that JSON, page and screen show alike."""

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .config import Published, StudyConfig
from .margins import ArmResult, arm_result
from .rows import Worked


@dataclass(frozen=True, slots=True)
class Comparison:
    """A published figure and ours. Ours is seen twice: by the recipe and by direct coverage."""

    published: Published
    recipe_mm: float
    recipe_few_mm: float
    covers_90_mm: float

    @property
    def verdict(self) -> str:
        """In words, with the recipe for few fractions."""
        low, high = self.published.margin_mm
        ours = round(self.recipe_few_mm, 1)
        if low <= ours <= high:
            return "within"
        return f"{low - ours:.1f} mm below" if ours < low else f"{ours - high:.1f} mm above"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """All arms. `complete`: every patient was worked through."""

    study: StudyConfig
    seed: int
    asked: int  # patients
    worked: tuple[Worked, ...]
    arms: tuple[ArmResult, ...]
    comparisons: tuple[Comparison, ...]
    table: str  # CSV of every session
    patients: str  # CSV of every patient

    @property
    def complete(self) -> bool:
        """Nobody is missing."""
        return len(self.worked) == self.asked

    @property
    def digest(self) -> str:
        """Of every number of every session and patient: the same for the same study, seed and code."""
        return hashlib.sha256((self.table + self.patients).encode()).hexdigest()[:16]

    def starts(self, arm: str) -> Any:
        """(n,) mm, ascending: distance of the target's centre at the first beam."""
        return np.sort([row.start_mm for one in self.worked for row in one.sessions if row.arm == arm and row.treated])

    def walk(self, arm: str) -> tuple[Any, Any]:
        """(min since the first beam, root mean square distance in mm)."""
        walks = [np.array(one.walks[arm]) for one in self.worked if one.walks[arm]]
        minutes, squares = np.mean(walks, axis=0).T
        return minutes, np.sqrt(squares)

    def as_dict(self, **more: Any) -> dict[str, Any]:
        """result.json."""
        return {
            "study": self.study.name, "seed": self.seed, "complete": self.complete, "patients": len(self.worked),
            "patients_asked": self.asked, "fractions": self.study.fractions, "digest": self.digest, **more,
            "arms": [asdict(arm) for arm in self.arms],
            "published": [
                {**c.published.model_dump(), "recipe_mm": c.recipe_mm, "recipe_few_mm": c.recipe_few_mm,
                 "covers_90_mm": c.covers_90_mm, "verdict": c.verdict}
                for c in self.comparisons
            ],
            "config": self.study.model_dump(),
            "simulated": True,
        }


def conclude(study: StudyConfig, seed: int, worked: Sequence[Worked]) -> Outcome:
    """Patients in any order -> the same outcome."""
    ordered = tuple(sorted(worked, key=lambda one: one.patient))
    arms = []
    for arm in study.arms:
        sessions = [row for one in ordered for row in one.sessions if row.arm == arm.name]
        patients = [row for one in ordered for row in one.summaries if row.arm == arm.name]
        arms.append(arm_result(arm, study, seed, sessions, patients))
    numbers = {arm.name: arm.numbers for arm in arms}
    compared = ("recipe_mm", "recipe_few_mm", "covers_90_mm")
    comparisons = tuple(Comparison(p, *(numbers[p.arm][key].value for key in compared)) for p in study.published)
    table = csv_of([row.flat() for one in ordered for row in one.sessions])
    summaries = csv_of([asdict(row) for one in ordered for row in one.summaries])
    return Outcome(study, seed, study.patients, ordered, tuple(arms), comparisons, table, summaries)


def csv_of(rows: Sequence[dict[str, Any]]) -> str:
    """With a heading; empty where there is no number."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows([{key: "" if value != value else value for key, value in row.items()} for row in rows])
    return text.getvalue()
