"""Everything a campaign's report says, as plain data: a function of the rows."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from ..config.files import canonical_json
from ..records.jsonio import plain
from .config import PHASES
from .numbers import percentiles, upper_bound
from .row import Row

METRICS = {  # column -> (what it says, unit)
    "detection_ms": ("detection after the effective time", "ms"),
    "reaction_ms": ("beam or motion stopped after the effective time", "ms"),
    "trip_to_permit_ms": ("trip to permit low", "ms"), "mu_after_eff": ("dose after the effective time", "MU"),
    "excess_mu": ("dose above the prescription (negative: below it)", "MU"), "worst_miss_mm": ("worst miss with beam", "mm"),
    "weighted_miss_mm": ("MU-weighted miss", "mm"), "displaced_ms": ("beam with the couch more than 2 mm away", "ms"),
    "displaced_goal_ms": ("beam with the couch more than 1.5 mm away", "ms"), "travel_after_stop_mm": ("travel after stop", "mm"),
}
VERDICTS = ("passed", "failed", "missed", "harmless", "not_activated", "not_reachable", "crashed")
WORST_FIRST = ("crashed", "missed", "failed", "passed", "harmless", "not_activated", "not_reachable")
WORST_RUNS = 25


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Counts and figures of all rows. Twins are compared with their originals and counted as nothing else."""
    own = [row for row in rows if not row.twin_of]
    faulty = [row for row in own if row.part != "fault_free"]
    counts: Counter[str] = Counter(row.verdict for row in own)
    missed_s4 = [row for row in faulty if row.missed and row.severity == "S4"]
    return {
        "runs": len(own), "verdicts": {name: counts.get(name, 0) for name in VERDICTS},
        "activated": sum(row.activated for row in faulty), "not_activated": counts.get("not_activated", 0),
        "not_reachable": counts.get("not_reachable", 0), "detected": sum(bool(row.detected) for row in faulty),
        "missed": sum(row.missed for row in faulty), "missed_s4": len(missed_s4),
        "missed_s4_runs": [brief(row) for row in missed_s4],
        "harmless": counts.get("harmless", 0), "failed": counts.get("failed", 0), "crashed": counts.get("crashed", 0),
        "detection_share": share(faulty), "detection_share_s4": share([row for row in faulty if row.severity == "S4"]),
        "violated": sum(bool(row.violated) for row in own),
        "unjudged": sum(not row.judged for row in own if row.simulated_s > 0.0),
        "false_trips": sum(bool(row.false_trip) for row in own), "fault_free": fault_free(own),
        "metrics": {name: percentiles(getattr(row, name) for row in faulty) for name in METRICS},
        "parts": {part: part_summary([row for row in own if row.part == part]) for part in dict.fromkeys(row.part for row in own)},
        "invariants": invariants(own), "matrix": matrix(faulty), "modes": by_mode(faulty), "states_reached": reached(own),
        "twins": twins(rows), "retried": [{"id": row.case_id, "retries": row.retries} for row in rows if row.retries],
        "worst": [brief(row) for row in worst(own)], "table_sha256": table_digest(rows),
        "seconds": round(sum(row.seconds for row in rows), 3), "simulated_s": round(sum(row.simulated_s for row in rows), 2),
    }


def share(rows: Iterable[Row]) -> float | None:
    """Of the faults that a reaction was owed to, those that got it in time; None of none."""
    owed = [row for row in rows if row.detected or row.missed]
    return round(sum(bool(row.detected) for row in owed) / len(owed), 6) if owed else None


def brief(row: Row) -> dict[str, Any]:
    """Enough to name a run and to find it again."""
    return {"id": row.case_id, "verdict": row.verdict, "modes": row.modes, "severity": row.severity, "phase": row.phase,
            "size": row.size, "lasts": row.lasts, "relation": row.relation, "session": row.session, "seed": row.seed,
            "reason": row.reason, "first_out": row.first_out, "detection_ms": row.detection_ms, "excess_mu": row.excess_mu,
            "worst_miss_mm": row.worst_miss_mm, "violated": list(row.violated)}


def fault_free(rows: Iterable[Row]) -> dict[str, Any]:
    """False trips of sessions without faults, and the share that is not exceeded with 95 %."""
    free = [row for row in rows if row.part == "fault_free"]
    tripped = [row for row in free if row.false_trip]
    bound = upper_bound(len(tripped), len(free))
    return {"runs": len(free), "false_trips": len(tripped), "upper_bound_95": None if bound is None else float(f"{bound:.4g}"),
            "interlocks": dict(Counter(row.false_trip for row in tripped)), "first": [row.seed for row in tripped[:20]]}


def part_summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Of grid, pairs and so on apart: the figures asked of single and of double faults differ."""
    counts: Counter[str] = Counter(row.verdict for row in rows)
    return {"runs": len(rows), "verdicts": {name: counts[name] for name in VERDICTS if counts[name]},
            "detection_share": share(rows), "metrics": {name: percentiles(getattr(row, name) for row in rows) for name in METRICS}}


def invariants(rows: Iterable[Row]) -> dict[str, Any]:
    """How often each was judged and violated, and the least that was left of it."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        for name, (value, unit) in row.margins.items():
            at = found.setdefault(name, {"judged": 0, "violated": 0, "least": value, "unit": unit, "id": row.case_id})
            at["judged"] += 1
            at["violated"] += name in row.violated
            if at["least"] is None or value < at["least"]:
                at |= {"least": value, "unit": unit, "id": row.case_id}
        for name in (name for name in row.violated if name not in row.margins):
            at = found.setdefault(name, {"judged": 0, "violated": 0, "least": None, "unit": "", "id": row.case_id})
            at["judged"], at["violated"] = at["judged"] + 1, at["violated"] + 1
    return dict(sorted(found.items()))


def matrix(rows: Iterable[Row]) -> dict[str, dict[str, dict[str, int]]]:
    """Mode -> phase -> verdict (and `detected`) -> runs; single faults only: of several nobody knows whose doing it was."""
    found: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for row in rows:
        if row.part == "grid":
            found[row.modes][row.phase].update([row.verdict, *(["detected"] if row.detected else [])])
    order = {phase: k for k, phase in enumerate(PHASES)}
    return {mode: {phase: dict(found[mode][phase]) for phase in sorted(found[mode], key=lambda p: order.get(p, 99))}
            for mode in sorted(found)}


def by_mode(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """A line for every mode of the grid."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.part == "grid":
            groups[row.modes].append(row)
    return [mode_line(mode, groups[mode]) for mode in sorted(groups)]


def mode_line(mode: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Counts, who noticed, and times against their limit."""
    counts: Counter[str] = Counter(row.verdict for row in rows)
    limits = [row.detection_limit_ms for row in rows if row.detection_limit_ms is not None]
    return {"mode": mode, "severity": rows[0].severity, "runs": len(rows), "activated": sum(row.activated for row in rows),
            "detected": sum(bool(row.detected) for row in rows), **{name: counts.get(name, 0) for name in VERDICTS},
            "first_out": dict(Counter(row.first_out for row in rows if row.first_out).most_common(3)),
            "detection_ms": percentiles(row.detection_ms for row in rows), "limit_ms": max(limits, default=None),
            "mu_after_eff": percentiles(row.mu_after_eff for row in rows),
            "mu_limit": max((row.mu_limit for row in rows if row.mu_limit is not None), default=None)}


def reached(rows: Iterable[Row]) -> list[str]:
    """(state x interlock) pairs that some run has reached."""
    return sorted({pair for row in rows for pair in row.visited})


def twins(rows: Sequence[Row]) -> dict[str, Any]:
    """Runs done twice: again in another process, or branched and from the beginning. They must not differ."""
    by_id = {row.case_id: row for row in rows}
    pairs = [(by_id[row.twin_of], row) for row in rows if row.twin_of in by_id]
    different = [(a, b) for a, b in pairs if not alike(a, b)]
    return {"pairs": len(pairs), "different": len(different),
            "runs": [{"id": a.case_id, "digest": a.digest, "other": b.case_id, "other_digest": b.digest} for a, b in different]}


def alike(a: Row, b: Row) -> bool:
    """The same bits, and the same row of everything that came of them."""
    own = ("case_id", "position", "twin_of")
    return all(value == b.stable()[name] for name, value in a.stable().items() if name not in own)


def worst(rows: Iterable[Row]) -> list[Row]:
    """Those to look at first: crashed, missed, failed, the graver the sooner; then what came closest to a limit."""
    bad = sorted((row for row in rows if row.bad), key=badness)
    return bad[:WORST_RUNS]


def badness(row: Row) -> tuple[Any, ...]:
    """Sorts the worst first."""
    severity, excess_mu, miss_mm = int(row.severity[1:] or 0), row.excess_mu or 0.0, row.worst_miss_mm or 0.0
    return WORST_FIRST.index(row.verdict), -severity, -excess_mu, -miss_mm, row.position


def table_digest(rows: Sequence[Row]) -> str:
    """Of everything that must not depend on how the campaign was done."""
    digest = hashlib.sha256()
    for row in sorted(rows, key=lambda r: r.position):
        digest.update(canonical_json(plain(row.stable())).encode() + b"\n")
    return digest.hexdigest()[:16]
