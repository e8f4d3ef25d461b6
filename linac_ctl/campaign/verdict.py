"""Passed, failed, missed ...: what is due after the faults of a run, and whether it was done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from device_models.faults.modes.mode import Demand

from .measure import MS, Measures
from .row import Verdict

RATE_OF_LIMITS = 10.0  # MU/s: limits of dose are stated at 600 MU/min
ANY_REACTION = ("beam_hold", "motion_stop", "prevent_start", "prevent_motion")
ORDER = ("missed", "failed", "passed", "harmless")
IN_BEAM_MS = 20.0  # of what is due before the beam, when there is beam already: two cycles
CONFIRMED = 2  # cycles: what is there for fewer cannot be confirmed (faults/README: a fault is confirmed after two)
SLACK_MS = 0.5  # times are whole cycles; a limit of 50 ms allows five


@dataclass(frozen=True, slots=True)
class Due:
    """What a mode that took effect asks for. None, of a wire or a parameter that is no mode: any reaction, whenever."""

    detect_by: str | None
    limit_ms: float | None
    mu_limit: float | None
    reaction: tuple[str, ...]
    demand: Demand = "react"
    onset_ms: float = 0.0  # from the effective time until the deviation is one that may not be

    @classmethod
    def of(cls, mode: Any | None, given: Mapping[str, Any] | None = None) -> "Due":
        """Of this mode with these settings."""
        if mode is None:
            return cls(None, None, None, ())
        settled = mode.settle(given or {})
        demand, onset_ms = mode.demand(settled), mode.onset_ms(settled)
        if mode.detect_by == "never" and demand == "react":
            demand = "either"
        limit_ms = None if mode.max_detection_ms is None else mode.max_detection_ms + onset_ms
        return cls(mode.detect_by, limit_ms, mode.max_mu, mode.reaction, demand, onset_ms)

    @property
    def control_case(self) -> bool:
        """The right machine does nothing."""
        return self.demand == "nothing"

    def mu_allowed(self, rate_mu_per_s: float) -> float | None:
        """At the dose rate that was on, more at higher rates, never less; and what is given before anything is due."""
        if self.mu_limit is None:
            return None
        return self.mu_limit * max(1.0, rate_mu_per_s / RATE_OF_LIMITS) + rate_mu_per_s * self.onset_ms / 1000.0

    def owed(self, m: Measures) -> bool:
        """Was the fault there for long enough, with beam or motion, that somebody had to notice?"""
        if self.demand != "react":
            return False
        if self.detect_by in ("at_load", "at_start"):
            return True
        if self.detect_by in ("before_beam", "before_motion"):
            there = m.beam_cycles if self.detect_by == "before_beam" else m.motion_cycles
            return there >= CONFIRMED + ceil(self.onset_ms / MS)
        needed = ceil((self.limit_ms or 100.0) / MS) + 1
        return m.beam_cycles >= needed or m.motion_cycles >= needed

    def in_time(self, m: Measures) -> bool:
        """Noticed, or refused, before it is too late."""
        if m.detection_ms is None:
            return bool(m.reactions) and m.beam_cycles == 0
        soon = self.limit_ms is None or m.detection_ms <= self.limit_ms + SLACK_MS
        if self.detect_by in ("time", None):
            return soon
        return m.mu_after_eff <= 0.0 or m.detection_ms <= (self.limit_ms or IN_BEAM_MS + self.onset_ms) + SLACK_MS

    def strong_enough(self, m: Measures) -> bool:
        """Everything that the mode asks for; any reaction where no mode asks."""
        if self.detect_by is None:
            return bool(m.reactions & {*ANY_REACTION})
        return {*self.reaction} - {"none", "kv_off"} <= m.reactions


def decide(*, injected: bool, acted: Sequence[tuple[Due, Measures]], judged: bool, violated: Sequence[str], false_trip: str,
           outcome: str) -> tuple[Verdict, str]:
    """-> (verdict, why not passed). `acted`: every fault that took effect, each with its own clock.

    A violated invariant is never anything but failed. Of several faults the worst verdict counts; one that was harmless beside
    another that was noticed in time takes nothing from that.
    """
    if violated:
        return "failed", f"violated {', '.join(violated)}"
    if false_trip:
        return "failed", f"{false_trip} tripped without a cause"
    if outcome == "stuck":
        return "failed", "the session did not end"
    if not injected:
        return "not_reachable", "the moment of its fault never came"
    if not acted:
        return "not_activated", "truth and wires were as without the fault"
    if not judged:
        return "failed", "no referee has judged this run"
    return min((reacted(due, m) for due, m in acted), key=lambda one: ORDER.index(one[0]))


def reacted(due: Due, m: Measures) -> tuple[Verdict, str]:
    """Of one fault."""
    if due.control_case:
        return ("failed", f"{m.noticed.name} tripped, and nothing should have") if m.noticed else ("passed", "")
    if due.demand == "either":
        return ("passed", "") if m.noticed else ("harmless", "so small that nobody has to react")
    seen = m.noticed is not None or due.in_time(m)
    if not seen:
        return ("missed", _nobody(due, m)) if due.owed(m) else ("harmless", "gone, or no beam and no motion, before it was due")
    if not due.in_time(m):
        return "missed", f"{m.noticed.name if m.noticed else 'noticed'} after {m.detection_ms:g} ms, {_limit(due)}"
    if not due.strong_enough(m):
        return "failed", f"reaction {'+'.join(sorted(m.reactions)) or 'none'}, due is {'+'.join(due.reaction) or 'any'}"
    allowed = due.mu_allowed(m.rate_mu_per_s)
    if allowed is not None and m.mu_after_eff > allowed + 1e-6:
        return "failed", f"{m.mu_after_eff:.2f} MU after the effective time, limit {allowed:.2f} MU"
    return "passed", ""


def _limit(due: Due) -> str:
    return f"limit {due.limit_ms:g} ms" if due.limit_ms is not None else f"due {(due.detect_by or 'time').replace('_', ' ')}"


def _nobody(due: Due, m: Measures) -> str:
    return (f"nobody noticed; {_limit(due)}; beam for {m.beam_cycles * MS:g} ms, {m.mu_after_eff:.2f} MU, "
            f"motion for {m.motion_cycles * MS:g} ms")


def fault_free(*, judged: bool, violated: Sequence[str], false_trip: str, outcome: str) -> tuple[Verdict, str]:
    """Without a fault a session is delivered, and nothing trips."""
    if violated or false_trip or outcome != "completed":
        what = f"violated {', '.join(violated)}" if violated else (f"{false_trip} tripped" if false_trip else f"session {outcome}")
        return "failed", what
    return ("passed", "") if judged else ("failed", "no referee has judged this run")
