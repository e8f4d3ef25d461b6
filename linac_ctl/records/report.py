"""The report of a run: one self-contained HTML file. What was planned, what was delivered, what stopped it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from linac_ctl.errors import RecordError
from linac_ctl.plan.model import Beam

from .images_page import PositionPage, position_page
from .plots import beam_plots, field, session_chart, write_plots
from .result import BeamResult, Result
from .rows import LEAF, Rows
from .run_record import RunRecord
from .target import read_target
from .verdict import Check, axis_limits, checks, result_of

TEMPLATE = "report.html.j2"


@dataclass(frozen=True, slots=True, eq=False)
class BeamPage:
    """One beam in the report."""

    result: BeamResult
    plan: Beam | None
    plots: dict[str, str]

    @property
    def leaf_names(self) -> frozenset[str]:
        """Axes that the table sums up in one line."""
        return frozenset(name for name in self.result.axes if LEAF.fullmatch(name))

    def picture(self, name: str) -> Markup:
        """An SVG of ours, put in as it is; empty when there is none of that name."""
        return Markup(self.plots.get(name, ""))

    def pictures(self, start: str) -> list[Markup]:
        """All whose name begins so, in order."""
        return [Markup(svg) for name, svg in self.plots.items() if name.startswith(start)]

    def axis_pictures(self) -> list[Markup]:
        """Setpoint, readback and error of every axis but leaves, against time and MU in turn."""
        chosen = [name for name in self.plots if name.endswith(("-time", "-MU")) and not name.startswith("leaf-")]
        return [Markup(self.plots[name]) for name in chosen]


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """Everything the page shows."""

    record: RunRecord
    result: Result
    rows: Rows
    checks: tuple[Check, ...]
    limits: dict[str, float]
    beams: tuple[BeamPage, ...]
    position: PositionPage | None = None  # of sessions with images

    @property
    def passed(self) -> bool:
        """All checks."""
        return all(check.passed for check in self.checks)


def collect(record: RunRecord, *, plots: bool = True) -> Report:
    """Read what the page needs; plots only for beams that were started."""
    result, rows, truth = result_of(record), record.rows(), read_target(record.path)
    limits = axis_limits(record.machine(), record.interlock_rows())
    plans = _plans(record)
    pages = []
    for beam in result.beams:
        own, plan = field(rows, beam.number), plans.get(beam.number)
        drawn = beam_plots(own, plan, limits, truth) if plots and plan is not None and len(own) else {}
        pages.append(BeamPage(beam, plan, drawn))
    position = position_page(record, result, truth, tuple(plans.values())) if plots else position_page(record, result)
    found = (*checks(result, limits), *(position.checks if position else ()))
    return Report(record, result, rows, found, limits, tuple(pages), position)


def _plans(record: RunRecord) -> dict[int, Beam]:
    try:
        return {beam.number: beam for beam in record.plan().beams}
    except RecordError:
        if record.result is not None and record.result.outcome == "refused":
            return {}  # refused before there was a plan
        raise


def render(report: Report) -> str:
    """HTML without any outside request."""
    environment = Environment(
        loader=PackageLoader("linac_ctl.records", "templates"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(("j2",)),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["mu"] = lambda value: "–" if value is None else f"{value:.2f}"
    environment.filters["number"] = number
    session = Markup(session_chart(report.rows)) if len(report.rows) else ""
    return environment.get_template(TEMPLATE).render(
        r=report, result=report.result, manifest=report.record.manifest, events=report.record.events(), session=session,
        position=report.position,
    )


def number(value: Any) -> str:
    """Short text of a value in an event or interlock."""
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def write_report(run: RunRecord | Path | str, out: Path | None = None) -> Path:
    """Writes report.html (and plots/*.svg beside it when it goes into the run folder); -> its path."""
    record = run if isinstance(run, RunRecord) else RunRecord.open(run)
    report = collect(record)
    target = out or record.path / "report.html"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(render(report), encoding="utf-8")
    except OSError as e:
        raise RecordError(f"{target}: cannot be written: {e.strerror}") from None
    if target.parent == record.path:
        for page in report.beams:
            write_plots(record.path / "plots", page.plots, f"beam-{page.result.number}")
    return target


def summary(report: Report) -> dict[str, Any]:
    """The same verdict for scripts."""
    return {
        "run": str(report.record.path),
        "passed": report.passed,
        "outcome": report.result.outcome,
        "reason": report.result.reason,
        "checks": [{"name": c.name, "value": c.value, "limit": c.limit, "passed": c.passed} for c in report.checks],
        "remaining_mu": {
            str(b.number): round(report.record.remaining(b.number), 4) for b in report.record.manifest.beams
        },
    }
