"""What a study keeps of every session and of every patient, and how a patient is worked through all arms."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..imaging.pose import six
from .cover import Target, target
from .population import Day
from .room import Room
from .treat import Course, Looks, Session

Triple = tuple[float, float, float]
NOWHERE = (float("nan"),) * 3
DIGITS = 4


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session. mm in the patient's axes X Y Z, deg; offsets are those of the target's centre from its planned place."""

    arm: str
    patient: int
    fraction: int
    treated: bool
    set_up: tuple[float, ...]  # six numbers of the last set-up error
    start: Triple  # offset at the first beam
    mean: Triple  # over the beam-on time
    spread: Triple  # standard deviation over the beam-on time
    start_mm: float
    margin_mean_mm: float  # covers the target at its mean place of this session
    margin_mm: float  # covers it for the asked share of the beam-on time
    images: int
    shifts: int
    set_ups: int
    refused: int
    session_s: float

    def flat(self) -> dict[str, Any]:
        """Columns of the table."""
        names = {"set_up": ("x_mm", "y_mm", "z_mm", "rx_deg", "ry_deg", "rz_deg"), "start": AXES, "mean": AXES, "spread": AXES}
        found: dict[str, Any] = {}
        for key, value in asdict(self).items():
            found |= {f"{key}_{name}": part for name, part in zip(names[key], value)} if key in names else {key: value}
        return found


AXES = ("x_mm", "y_mm", "z_mm")


@dataclass(frozen=True, slots=True)
class PatientRow:
    """One patient in one arm: margins that cover all of the target over the whole course."""

    arm: str
    patient: int
    fractions: int  # treated
    margin_mean_mm: float  # at its mean place
    margin_mm: float  # for the asked share of the beam-on time


@dataclass(frozen=True, slots=True)
class Worked:
    """All arms of one patient."""

    patient: int
    sessions: tuple[SessionRow, ...]
    summaries: tuple[PatientRow, ...]
    walks: dict[str, tuple[tuple[float, float], ...]]  # arm: (min of beam, mean over days of the centre's distance squared, mm2)


def work(room: Room, patient: int, seed: int) -> Worked:
    """Pure: neither other patients nor the order of work matter."""
    study, aim = room.study, target(room.patient.target)
    found: dict[str, list[tuple[SessionRow, Course]]] = {arm.name: [] for arm in study.arms}
    for fraction in range(study.fractions):
        day = Day(study, seed, patient, fraction)
        looks = Looks(room, day)
        for arm in study.arms:
            course = Session(room, arm, day, looks, aim).run()
            found[arm.name].append((row_of(arm.name, day, course, aim, study.time_share), course))
    sessions = tuple(row for rows in found.values() for row, _ in rows)
    treated = {arm: [course for _, course in rows if course.treated] for arm, rows in found.items()}
    summaries = tuple(summary(arm, patient, courses, aim, study.time_share) for arm, courses in treated.items())
    return Worked(patient, sessions, summaries, {arm: walk(courses, study) for arm, courses in treated.items()})


def row_of(arm: str, day: Day, course: Course, aim: Target, share: float) -> SessionRow:
    """A session in numbers; not-a-number where it was not treated."""
    start: Any = NOWHERE
    mean: Any = NOWHERE
    spread: Any = NOWHERE
    distance, margin_mean, margin = NOWHERE
    if course.treated:
        offsets = np.array(course.offsets)
        start, mean, spread = (rounded(values) for values in (offsets[0], offsets.mean(0), offsets.std(0)))
        at_mean = aim.margin_mm(np.mean(course.places, axis=0))
        distance, margin_mean, margin = rounded((np.linalg.norm(offsets[0]), at_mean, needed(course.margins, share)))
    return SessionRow(
        arm, day.patient, day.fraction, course.treated, rounded(six(course.hidden.set_up)), start, mean, spread,
        distance, margin_mean, margin, course.images, course.shifts, course.set_ups, course.refused, round(course.time_s, 2),
    )


def summary(arm: str, patient: int, courses: list[Course], aim: Target, share: float) -> PatientRow:
    """Over all treated days."""
    if not courses:
        return PatientRow(arm, patient, 0, float("nan"), float("nan"))
    mean = np.mean([np.mean(course.places, axis=0) for course in courses], axis=0)
    margins = [margin for course in courses for margin in course.margins]
    at_mean, most = rounded((aim.margin_mm(mean), needed(margins, share)))
    return PatientRow(arm, patient, len(courses), at_mean, most)


def walk(courses: list[Course], study: Any) -> tuple[tuple[float, float], ...]:
    """How far off the target's centre is as the treatment goes on."""
    if not courses:
        return ()
    squares = np.mean([(np.array(course.offsets) ** 2).sum(1) for course in courses], axis=0)
    step = study.timeline.beam_s / len(squares) / 60.0
    return tuple((round((k + 0.5) * step, 3), round(float(square), 5)) for k, square in enumerate(squares))


def needed(margins: Any, share: float) -> float:
    """The least that is enough for this share of them; not-a-number for none."""
    ordered = np.sort(np.asarray(margins, float))
    return float(ordered[int(np.ceil(share * len(ordered) - 1e-9)) - 1]) if len(ordered) else float("nan")


def rounded(values: Any) -> tuple[float, ...]:
    """On a grid of 0.1 um, so that a record does not hang on the last bit."""
    return tuple(round(float(v), DIGITS) + 0.0 for v in values)
