"""Passed, failed, missed ...: what is due after the faults of a run, and whether it was done."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from device_models.faults.modes.mode import Demand

from .measure import ALWAYS, Exposure, Measures
from .row import Verdict
from .track import MS

RATE_OF_LIMITS = 10.0  # MU/s: limits of dose are stated at 600 MU/min
ANY_REACTION = ("beam_hold", "motion_stop", "prevent_start", "prevent_motion")
ORDER = ("missed", "failed", "passed", "harmless")
IN_BEAM_MS = 20.0  # of what is due before the beam, when there is beam already: two cycles
CONFIRMED = 2  # cycles: what is there for fewer cannot be confirmed (faults/README: a fault is confirmed after two)
CONFIRM_MS = 30.0  # once it is too much: it is read in one cycle, and confirmed in two more
STILL_MS = 110.0  # links without beam: nothing to hold; the device is given up after 100 ms (SI-13), and a cycle
DOSE = frozenset(("beam", "chambers", "safety", "live", "carousel"))  # where nothing radiates, nothing of these can do harm
IN_PLACE_MM = 1.0  # images that lie do harm by where they put the target: the catalogue's limit for all of them
NOT_DUE = "never more than may be, gone before it was due, or neither beam nor motion meanwhile"
SILENCE_MS = 50.0  # after so long without a controller the safety channel has acted, whatever else is wrong (SI-03)
SLACK_MS = 0.5  # times are whole cycles; a limit of 50 ms allows five


@dataclass(frozen=True, slots=True)
class Due:
    """What a mode that took effect asks for. None, of a wire or a parameter that is no mode: any reaction, whenever."""

    detect_by: str | None
    limit_ms: float | None
    mu_limit: float | None
    reaction: tuple[str, ...]
    demand: Demand = "react"
    onset_ms: float = 0.0  # from the effective time until the deviation is one that may not be, by its settings
    exposure: Exposure = ALWAYS
    of_images: bool = False  # what is wrong is in images or their matches; no harm while the target is in its place all the same
    still_ms: float | None = None  # limit while there is no beam, where that is another one

    @classmethod
    def of(cls, mode: Any | None, given: Mapping[str, Any] | None = None, devices: Iterable[str] = ()) -> "Due":
        """Of this mode with these settings. `devices`: whose wires or parameters the fault touches."""
        if mode is None:
            return cls(None, None, None, ())
        settled = mode.settle(given or {})
        demand, onset_ms = mode.demand(settled), mode.onset_ms(settled)
        if mode.detect_by == "never" and demand == "react":
            demand = "either"
        limit_ms = None if mode.max_detection_ms is None else mode.max_detection_ms + onset_ms
        return cls(mode.detect_by, limit_ms, mode.max_mu, mode.reaction, demand, onset_ms, exposure_of(mode, {*devices}),
                   getattr(mode, "layer", "") == "imager" and mode.detect_by == "before_beam",
                   STILL_MS if getattr(mode, "layer", "") == "link" else None)

    @property
    def control_case(self) -> bool:
        """The right machine does nothing."""
        return self.demand == "nothing"

    def mu_allowed(self, m: Measures) -> float | None:
        """From when it is due, at the dose rate that was on: more at higher rates, never less."""
        if self.mu_limit is None:
            return None
        early_ms = max(0.0, self.onset_ms - (m.start_ms or 0.0))
        return self.mu_limit * max(1.0, m.rate_mu_per_s / RATE_OF_LIMITS) + m.rate_mu_per_s * early_ms / 1000.0

    def deadline_ms(self, m: Measures) -> float | None:
        """From the effective time. None: whenever.

        The limits of the catalogue count from the effective time at the speeds of its reference machine. What grows more slowly is
        found by how far it is off, so once that is too far, the cycles that confirm it are left. What is there while nothing moves
        or radiates is due from where something does.
        """
        if self.limit_ms is None or m.start_ms is None:
            return None
        bare_ms = alone(self.limit_ms - self.onset_ms, m)
        allowed_ms = bare_ms if m.in_beam or self.still_ms is None else max(bare_ms, self.still_ms)
        confirmed_ms = min(allowed_ms, alone(CONFIRM_MS, m)) if m.grew else allowed_ms
        return max(self.limit_ms, m.start_ms + confirmed_ms)

    def owed(self, m: Measures) -> bool:
        """Was the fault there for long enough, with beam or motion, that somebody had to notice?"""
        if self.demand != "react" or self.spared(m):
            return False
        if self.detect_by == "at_load":
            return True
        if self.detect_by == "at_start":
            return m.beam_cycles > 0
        if self.detect_by in ("before_beam", "before_motion"):
            there = m.beam_cycles if self.detect_by == "before_beam" else m.motion_cycles
            return there >= (needed := CONFIRMED + ceil(self.onset_ms / MS)) and stayed(m, needed)
        needed = max(CONFIRMED, ceil(((self.deadline_ms(m) or 100.0) - (m.start_ms or 0.0)) / MS) + 1)
        return (m.beam_cycles >= needed or m.motion_cycles >= needed) and stayed(m, needed)

    def spared(self, m: Measures) -> bool:
        """By truth, the target was where it belongs for every beam that there was."""
        return self.of_images and m.target_mm is not None and m.target_mm <= IN_PLACE_MM

    def in_time(self, m: Measures) -> bool:
        """Noticed, or refused, before it is too late."""
        if m.detection_ms is None:
            return bool(m.reactions) and m.beam_cycles == 0
        deadline_ms = self.deadline_ms(m)
        if self.detect_by in ("time", None):
            return deadline_ms is None or m.detection_ms <= deadline_ms + SLACK_MS
        return given_mu(m) <= 0.0 or m.detection_ms <= alone(self.limit_ms or IN_BEAM_MS + self.onset_ms, m) + SLACK_MS

    def strong_enough(self, m: Measures) -> bool:
        """Everything that the mode asks for; any reaction where no mode asks. Without beam a start that is prevented is a hold."""
        if self.detect_by is None:
            return bool(m.reactions & {*ANY_REACTION})
        needed = {*self.reaction} - {"none", "kv_off"} - (set() if self.exposure.motion else {"motion_stop"})
        held = {"beam_hold"} if "prevent_start" in m.reactions and m.mu_after_eff <= 0.0 else set()
        return needed <= m.reactions | held


def stayed(m: Measures, needed: int) -> bool:
    """Once it was there for so many cycles at once. What comes and goes more quickly is many faults, each too short."""
    return m.spell_cycles is None or m.spell_cycles >= needed


def alone(limit_ms: float, m: Measures) -> float:
    """The controller's limit. Time without a controller is not its own: then it is the safety channel that has to be in time."""
    return max(limit_ms, min(limit_ms + m.alone_ms, SILENCE_MS))


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
    return reacted(*acted[worst_of(acted)])


def worst_of(acted: Sequence[tuple[Due, Measures]]) -> int:
    """Which of several verdicts counts. Beside a fault that asks for a reaction, a trip is no false one of a control case."""
    asking = [k for k, (due, _) in enumerate(acted) if not due.control_case] or range(len(acted))
    return min(asking, key=lambda k: (ORDER.index(reacted(*acted[k])[0]), k))


def reacted(due: Due, m: Measures) -> tuple[Verdict, str]:
    """Of one fault."""
    if due.control_case:
        return ("failed", f"{m.noticed.name} tripped, and nothing should have") if m.noticed and not m.gone else ("passed", "")
    if due.demand == "either":
        return ("passed", "") if m.noticed else ("harmless", "so small that nobody has to react")
    if (late := missed(due, m)) is not None:
        return ("missed", late) if due.owed(m) else ("harmless", NOT_DUE)
    if not due.strong_enough(m):  # however little beam there was: a hold ends it as fast as what is due would
        if m.start_ms is None or m.gone:
            return "harmless", NOT_DUE  # it was never too much, or had gone: what tripped was about something else
        return "failed", f"reaction {'+'.join(sorted(m.reactions)) or 'none'}, due is {'+'.join(due.reaction) or 'any'}"
    allowed, given = due.mu_allowed(m), given_mu(m)
    if allowed is not None and given > allowed + 1e-6:
        return "failed", f"{given:.2f} MU after it was due, limit {allowed:.2f} MU"
    return "passed", ""


def missed(due: Due, m: Measures) -> str | None:
    """Why it counts as not noticed: by nobody, or too late. None = in time."""
    if due.in_time(m):
        return None
    return _nobody(due, m) if m.noticed is None else f"{m.noticed.name} after {m.detection_ms:g} ms, {_limit(due, m)}"


def exposure_of(mode: Any, devices: set[str]) -> Exposure:
    """What of dose lies does harm in beam only, and so does what need not stop motion."""
    stops_motion = bool({"motion_stop", "prevent_motion"} & {*mode.reaction})
    return Exposure(motion=stops_motion and not (devices and devices <= DOSE))


def given_mu(m: Measures) -> float:
    """Since somebody had to notice."""
    return m.mu_after_eff if m.mu_after_start is None else m.mu_after_start


def _limit(due: Due, m: Measures) -> str:
    limit_ms = due.deadline_ms(m) or due.limit_ms
    return f"limit {limit_ms:g} ms" if limit_ms is not None else f"due {(due.detect_by or 'time').replace('_', ' ')}"


def _nobody(due: Due, m: Measures) -> str:
    return (f"nobody noticed; {_limit(due, m)}; beam for {m.beam_cycles * MS:g} ms, {m.mu_after_eff:.2f} MU, "
            f"motion for {m.motion_cycles * MS:g} ms")


def fault_free(*, judged: bool, violated: Sequence[str], false_trip: str, outcome: str) -> tuple[Verdict, str]:
    """Without a fault a session is delivered, and nothing trips."""
    if violated or false_trip or outcome != "completed":
        what = f"violated {', '.join(violated)}" if violated else (f"{false_trip} tripped" if false_trip else f"session {outcome}")
        return "failed", what
    return ("passed", "") if judged else ("failed", "no referee has judged this run")
