"""What is asked of the machine, beside what the campaign found: the table that is read first."""

from dataclasses import dataclass
from typing import Any

from .numbers import readable


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured figure and what it is held against. `met`: goal, bar, no, or nothing measured."""

    what: str
    value: str
    bar: str
    goal: str
    met: str
    note: str = ""


def figures(found: dict[str, Any]) -> list[Figure]:
    """Of a summary. What the campaign did not ask is left out."""
    grid, pairs = (found["parts"].get(name, {}) for name in ("grid", "pairs"))
    asked = [
        _share("single faults noticed in time", grid.get("detection_share"), 0.99, 0.999),
        _share("of severity S4, all parts", found["detection_share_s4"], 1.0, 1.0),
        _most("trip to permit low, worst", found["metrics"], "trip_to_permit_ms", 20.0, 10.0, "ms"),
        _most("excess dose of a single fault, worst", grid.get("metrics", {}), "excess_mu", 1.5, 0.7, "MU"),
        _most("excess dose of a double fault, worst", pairs.get("metrics", {}), "excess_mu", 5.0, 2.0, "MU"),
        _most("beam with the couch > 2 mm away, longest", found["metrics"], "displaced_ms", 40.0, 40.0, "ms"),
        _most("beam with the couch > 1.5 mm away, longest", found["metrics"], "displaced_goal_ms", 40.0, 40.0, "ms"),
        _false_trips(found["fault_free"]),
        _none("runs in which an invariant was violated", found["violated"],
              found["runs"] if found["invariants"] else 0),
        _none("runs done twice that differ", found["twins"]["different"], found["twins"]["pairs"]),
        _none("runs that nobody judged", found["unjudged"], found["runs"]),
    ]
    return [figure for figure in asked if figure is not None]


def _met(good: bool, better: bool) -> str:
    return "goal" if better else ("bar" if good else "no")


def _share(what: str, value: float | None, bar: float, goal: float) -> Figure | None:
    if value is None:
        return None
    text = f"{100 * value:.2f} %" if value < 1.0 else "100 %"
    return Figure(what, text, f"{100 * bar:g} %", f"{100 * goal:g} %", _met(value >= bar, value >= goal))


def _most(what: str, metrics: dict[str, Any], name: str, bar: float, goal: float, unit: str) -> Figure | None:
    at = metrics.get(name, {"n": 0})
    if not at["n"]:
        return None
    value, most = (max(0.0, float(at[name])) for name in ("max", "p99"))  # less than was asked for is no excess
    return Figure(what, f"{readable(value)} {unit}", f"{bar:g} {unit}", f"{goal:g} {unit}", _met(value <= bar, value <= goal),
                  f"of {at['n']} runs; 99 % within {readable(most)} {unit}")


def _false_trips(free: dict[str, Any]) -> Figure | None:
    if not free["runs"]:
        return None
    n, runs = free["false_trips"], free["runs"]
    return Figure("false trips without a fault", f"{n} of {runs}", "0 of 10 000", "0 of 100 000",
                  "no" if n else ("goal" if runs >= 100_000 else ("bar" if runs >= 10_000 else "so far")),
                  f"with 95 % certainty less than {free['upper_bound_95']:.2g} of the sessions")


def _none(what: str, count: int, of: int) -> Figure | None:
    return None if not of else Figure(what, f"{count} of {of}", "0", "0", "no" if count else "goal")
