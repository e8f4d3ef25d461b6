"""What a person reads at the end of a run: what was given, where the patient was, what tripped, where everything is."""

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..records.fault import FaultResult
from ..records.result import BeamResult, LinkResult, MatchResult, RefereeResult, Result
from ..runtime.overruns import timing_text

FIRST = ("report", "result", "events", "plan", "treatment_record", "configuration")  # files named one by one, in this order


def summary(result: Result, folder: Path) -> Iterator[str]:
    """Lines."""
    yield f"{result.outcome.upper()}  {result.reason}".rstrip()
    yield from fault_lines(result)
    yield from map(beam_line, result.beams)
    yield from position_lines(result)
    yield from trip_lines(result)
    factor = "" if result.realtime_factor is None else f" = {result.realtime_factor:.0f} times real time"
    yield f"  {result.simulated_s:.1f} s simulated in {result.wall_s:.2f} s{factor}; digest {result.digest}"
    if result.timing is not None:
        yield f"  real time: {timing_text(result.timing)}"
    yield from map(link_line, result.links)
    yield from referee_lines(result.referee)
    yield from file_lines(result, folder)
    yield "  simulated; not a medical device"


def referee_lines(found: RefereeResult | None) -> Iterator[str]:
    """One line, and one more for every property that is violated."""
    if found is None:
        yield "  referee  nobody has judged this run"
        return
    judged = [one for one in found.properties if one.outcome != "not_applicable"]
    apart = len(found.properties) - len(judged)
    held = f"{len(judged) - len(found.violated)} of {len(judged)} properties of truth held ({apart} not applicable here)"
    yield f"  referee  {held}{'; VIOLATED: ' + ', '.join(found.violated) if found.violated else ''}"
    if found.in_line == "watch":
        yield "    it only watched: a run that goes on after a violation shows the harm, and is no treatment"
    for one in judged:
        if one.outcome == "violated":
            yield f"    {one.id} at {(one.cycle or 0) / 100:.2f} s: {one.text}"


def fault_lines(result: Result) -> Iterator[str]:
    """Nobody takes such a run for a treatment that went wrong by itself."""
    if result.faults is None:
        return
    yield "  FAULTS WERE INJECTED ON PURPOSE" if result.faults else "  armed for faults; none was injected"
    yield from map(fault_line, result.faults)


def fault_line(fault: FaultResult) -> str:
    """When it came, and when it could be told."""
    if fault.injected_s is None:
        return f"  fault {fault.id:<8s} {fault.what}: its moment never came"
    acted = "never effective: proves nothing" if fault.effective_s is None else f"effective at {fault.effective_s:.2f} s"
    cleared = "" if fault.cleared_s is None else f", cleared at {fault.cleared_s:.2f} s"
    often = f", {fault.times} times" if fault.times > 1 else ""
    return f"  fault {fault.id:<8s} {fault.what}: injected at {fault.injected_s:.2f} s, {acted}{cleared}{often}"


def link_line(link: LinkResult) -> str:
    """Who was there, and how well it could be heard."""
    drift = "" if link.drift_ppm is None else f", clock {link.drift_ppm:+.0f} ppm"
    counts = {"invalid lines": link.invalid, "told twice": link.repeated, "old": link.old, "refused": link.refused,
              "restarts": link.restarts}
    trouble = "".join(f", {n} {what}" for what, n in counts.items() if n)
    return (f"  link {link.device:<11s} {link.mode}, {link.firmware} at {link.url}: answer after {link.latency_p50_ms:.1f} ms "
            f"(median), {link.latency_max_ms:.1f} ms (worst), {link.cycles_without_news} cycles without news{trouble}{drift}"
            + (f"; {link.why}" if link.why else ""))


def beam_line(beam: BeamResult) -> str:
    """Planned and given."""
    truth = "" if beam.true_mu is None else f", true {beam.true_mu:.2f}"
    return (f"  beam {beam.number:<3d} {beam.name:<16s} planned {beam.planned_mu:8.2f} MU, "
            f"delivered {beam.delivered_mu:8.2f} (chamber 2 {beam.delivered_mu_2:.2f}{truth}), "
            f"{beam.hold_count} holds, {len(beam.interruptions)} interruptions")


def position_lines(result: Result) -> Iterator[str]:
    """What every match found, and the truth."""
    names = {image.uids: f"{image.kind.replace('_', ' ')} at {image.t_s:.0f} s" for image in result.images}
    for match in result.matches:
        yield f"  match    {names.get(match.image_uids, 'images'):<16s} {match_text(match)}"
    if result.residual_mm is not None:
        yield f"  target   {result.residual_mm:.2f} mm from its place at first beam-on (truth, which the controller never sees)"


def match_text(match: MatchResult) -> str:
    """Length and largest turn, and what the protocol made of it."""
    found = f"{math.hypot(*match.error[:3]):5.2f} mm, {max(abs(v) for v in match.error[3:]):.2f} deg"
    return f"{found}: {'refused: ' + '; '.join(match.complaints) if match.complaints else match.level}"


def trip_lines(result: Result) -> Iterator[str]:
    """First-out interlocks, each once."""
    first = [trip for trip in result.interlocks if trip.first_out]
    count = Counter(trip.id for trip in first)
    for name in dict.fromkeys(trip.id for trip in first):
        begin = next(trip.t_s for trip in first if trip.id == name)
        yield f"  interlock {name} at {begin:.2f} s (first-out)" + (f", {count[name]} times" if count[name] > 1 else "")


def file_lines(result: Result, folder: Path) -> Iterator[str]:
    """The files people open by name; the folders of all others."""
    for what in FIRST:
        if what in result.files:
            yield f"  {what:<18s} {folder / result.files[what]}"
    others = Counter(Path(name).parts[0] for what, name in result.files.items() if what not in FIRST)
    for place, n in sorted(others.items()):
        yield f"  {place:<18s} {folder / place}" + (f" ({n} entries in result.json)" if n > 1 else "")
