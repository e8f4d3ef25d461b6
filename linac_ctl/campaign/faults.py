"""Faults as a schedule file has them, made from a mode, a place in its range, a moment and a length."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .config import DEFAULT_AFTER_S, Axes, LastsChoice, Span
from .draw import between
from .modes import ModeLike, settings_at


@dataclass(frozen=True, slots=True)
class Moment:
    """So long after the beginning of a phase."""

    phase: str
    after_s: float

    def later(self, seconds: float) -> "Moment":
        """The same, shifted."""
        return Moment(self.phase, round(self.after_s + seconds, 6))

    def data(self) -> dict[str, Any]:
        """`when:` of a fault."""
        return {"phase": self.phase} | ({"after_s": self.after_s} if self.after_s else {})


def moment(axes: Axes, phase: str, *key: object) -> Moment:
    """Drawn from the span of its phase."""
    spans: Mapping[str, Span] = axes.after_s  # type: ignore[assignment]  # its keys are some of the phases
    return Moment(phase, between(*spans.get(phase, DEFAULT_AFTER_S), *key))


def fault(name: str, mode: ModeLike, place: float, turn: int, when: Moment, lasts: LastsChoice) -> dict[str, Any]:
    """One entry of `faults:`; what is as usual is left out."""
    settings = settings_at(mode, place, turn)
    return {"id": name, "mode": mode.id} | ({"set": settings} if settings else {}) | {"when": when.data()} | length(lasts)


def length(lasts: LastsChoice) -> dict[str, Any]:
    """`lasts:` of a fault, or nothing when it is for good."""
    given = lasts.model_dump(exclude_defaults=True)
    return {"lasts": given} if given else {}


def lasts_label(lasts: LastsChoice) -> str:
    """For tables."""
    if lasts.blip or lasts.s is not None or lasts.mu is not None:
        once = "blip" if lasts.blip else (f"{lasts.s:g} s" if lasts.s is not None else f"{lasts.mu:g} MU")
        return once if lasts.every_s is None else f"{once} every {lasts.every_s:g} s"
    return "for good"
