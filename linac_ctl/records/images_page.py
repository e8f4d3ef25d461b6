"""What the report says of the patient's position: matches, shifts, the truth, overlays. None for sessions without images."""

import base64
import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from linac_ctl.errors import RecordError
from linac_ctl.plan.model import Beam

from .margin import Achieved, achieved
from .position_plots import position_chart
from .result import ImageResult, MatchResult, Result, ShiftResult, TrackedResult
from .run_record import RunRecord
from .target import TargetTruth
from .verdict import Check

KINDS = {"cbct": "CBCT", "pair": "kV pair", "mv_kv": "MV-kV pair", "mv_pair": "MV pair", "port": "Port images"}
WORDS = {"no shift": "ok", "shift": "move", "shift and verify": "move", "set up again": "bad", "call": "bad"}


@dataclass(frozen=True, slots=True)
class MatchLine:
    """One match, its images and its pictures (data URIs; empty without)."""

    number: int  # of the acquisition in the session
    image: ImageResult
    match: MatchResult
    before: str
    after: str

    @property
    def title(self) -> str:
        """For people."""
        return f"{KINDS.get(self.image.kind, self.image.kind)} {self.number} on the plan"

    @property
    def length_mm(self) -> float:
        """Of the translation at the isocentre."""
        return math.hypot(*self.match.error[:3])

    @property
    def turn_deg(self) -> float:
        """The largest of the three."""
        return max(abs(v) for v in self.match.error[3:])

    @property
    def colour(self) -> str:
        """CSS class of the action level."""
        return "bad" if self.match.complaints else WORDS.get(self.match.level, "")


@dataclass(frozen=True, slots=True)
class PositionPage:
    """The section."""

    images: tuple[ImageResult, ...]
    lines: tuple[MatchLine, ...]
    shifts: tuple[ShiftResult, ...]
    residual_mm: float | None
    residual_6dof: tuple[float, ...] | None
    limit_mm: float | None  # the protocol's "no shift" level
    limit_deg: float | None
    levels: tuple[tuple[str, str], ...]  # (what is done, from which error on)
    chart: str = ""  # SVG of the target over the session
    achieved: tuple[Achieved, ...] = ()
    beam_limit_mm: float | None = None  # the protocol's, while the beam is on
    tracked: tuple[TrackedResult, ...] = ()
    tracked_pictures: tuple[str, ...] = ()  # data URIs, in order

    @property
    def tracked_counts(self) -> dict[str, int]:
        """How many of each verdict."""
        return dict(Counter(image.seen for image in self.tracked))

    @property
    def tracked_worst_mm(self) -> float | None:
        """Of those that were found."""
        return max((math.hypot(*image.off_mm) for image in self.tracked if image.off_mm is not None), default=None)

    @property
    def checks(self) -> tuple[Check, ...]:
        """For the verdict: where the target really was."""
        if self.residual_mm is None or self.limit_mm is None:
            return ()
        fine = self.residual_mm <= self.limit_mm
        return (Check("target off its place at first beam-on, truth", f"{self.residual_mm:.3f} mm", f"{self.limit_mm:g} mm", fine),)


def position_page(record: RunRecord, result: Result, truth: TargetTruth | None = None,
                  beams: tuple[Beam, ...] = ()) -> PositionPage | None:
    """Reads the overlays that the result names; a missing picture leaves a gap, not an error. `truth`: drawn and summed up."""
    if not result.images:
        return None
    protocol = protocol_of(record)
    levels, beam_limit = protocol.get("levels", {}), protocol.get("intrafraction", {}).get("limit_mm")
    angles = np.nan_to_num(np.array([float(beam.couch[0][3]) for beam in beams]))
    drawn = position_chart(truth, result, beam_limit, angles) if truth is not None and beams else ""
    summed = achieved(truth, tuple(beam.number for beam in beams)) if truth is not None else ()
    lines = tuple(
        MatchLine(n, image, match, picture(record, result, f"overlay_before:{n}"), picture(record, result, f"overlay_after:{n}"))
        for n, image in enumerate(result.images, 1) for match in result.matches if match.image_uids == image.uids)
    return PositionPage(
        result.images, lines, result.shifts, result.residual_mm, result.residual_6dof, levels.get("no_shift_mm"),
        levels.get("no_shift_deg"), level_lines(levels), drawn, summed, beam_limit, result.tracked,
        tracked_pictures(record, result))


def tracked_pictures(record: RunRecord, result: Result) -> tuple[str, ...]:
    """Those that were kept; a missing one is left out."""
    names = [f"triggered:{k}" for k in range(1, 1 + len(result.tracked)) if f"triggered:{k}" in result.files]
    return tuple(uri for name in names if (uri := picture(record, result, name)))


def protocol_of(record: RunRecord) -> Any:
    """As it was resolved; empty when the record has none."""
    try:
        return record.config().get("protocol", {}).get("data", {})
    except RecordError:
        return {}


def level_lines(levels: Any) -> tuple[tuple[str, str], ...]:
    """Action levels for people: up to which error what is done."""
    names = (("no_shift", "no shift"), ("verify", "shift"), ("set_up", "shift and verify"), ("call", "set up again"))
    found = []
    for key, what in names:
        mm, deg = levels.get(f"{key}_mm"), levels.get(f"{key}_deg")
        if mm and deg:
            found.append((what, f"up to {mm:g} mm and {deg:g} deg"))
    return tuple(found)


def picture(record: RunRecord, result: Result, what: str) -> str:
    """A PNG of the run folder as a data URI."""
    try:
        data = (record.path / result.files[what]).read_bytes()
    except (KeyError, OSError):
        return ""
    return "data:image/png;base64," + base64.b64encode(data).decode()
