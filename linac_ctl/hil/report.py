"""The report of a check: one self-contained HTML page for people, the same as JSON for programs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from linac_ctl import __version__
from linac_ctl.errors import RecordError
from linac_ctl.records.jsonio import dumps

from .contact import VERSION
from .description import Description
from .verdict import Finding, Measure, State

HTML, JSON = "check.html", "check.json"
KEYS = ("unit", "axes", "fw", "serial", "session", "caps", "maxline", "baud")


@dataclass(frozen=True, slots=True)
class CheckReport:
    """Everything the page shows. `written`: date and time, as text."""

    told: Description
    findings: Sequence[Finding]
    port: str
    motion: bool
    written: str
    protocol: str = VERSION
    version: str = __version__

    @property
    def device(self) -> str:
        """Unit and serial number."""
        return f"{self.told.unit or 'unknown unit'} {self.told.keys.get('serial', '')}".strip()

    def count(self, state: State) -> int:
        """Findings in this state."""
        return sum(finding.state is state for finding in self.findings)

    @property
    def passed_count(self) -> int:
        """Checks without a wrong statement."""
        return self.count(State.PASSED)

    @property
    def failed_count(self) -> int:
        """Checks with one."""
        return self.count(State.FAILED)

    @property
    def skipped_count(self) -> int:
        """Checks that had nothing to look at."""
        return self.count(State.SKIPPED)

    @property
    def passed(self) -> bool:
        """No failure, and something was looked at."""
        return not self.failed_count and bool(self.passed_count)

    @property
    def outcome(self) -> str:
        """In one line."""
        counts = f"{self.failed_count} failed, {self.skipped_count} left out"
        return f"{self.passed_count} of {len(self.findings)} checks passed, {counts}"

    @property
    def measures(self) -> list[Measure]:
        """Of all checks."""
        return [measure for finding in self.findings for measure in finding.measures]

    @property
    def described(self) -> list[tuple[str, str]]:
        """What the device says of itself, for the page."""
        axes = [(f"axis {a.number}", f"{a.name}: {a.low} to {a.high} {a.unit}, {a.vmax} per s, {a.amax} per s²")
                for a in self.told.axes]
        verbs = [("verbs", " ".join(self.told.all("verb")))]
        return [(key, self.told.keys.get(key, "")) for key in KEYS] + axes + verbs


def figure(value: float) -> str:
    """Four digits that count."""
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"


def page(report: CheckReport) -> str:
    """HTML."""
    environment = Environment(loader=PackageLoader("linac_ctl.hil"), undefined=StrictUndefined,
                              autoescape=select_autoescape(["j2"]), trim_blocks=True, lstrip_blocks=True)
    environment.filters["figure"] = figure
    environment.filters["svg"] = Markup
    return environment.get_template("check.html.j2").render(r=report)


def data(report: CheckReport) -> dict[str, Any]:
    """For JSON; pictures stay out."""
    return {
        "protocol": report.protocol, "version": report.version, "port": report.port, "written": report.written,
        "passed": report.passed, "outcome": report.outcome, "motion": report.motion,
        "device": {"hello": report.told.keys, "items": report.told.items},
        "findings": [finding_data(finding) for finding in report.findings],
    }


def finding_data(finding: Finding) -> dict[str, Any]:
    """One check."""
    whole = asdict(finding)
    del whole["pictures"]
    return {"state": str(finding.state), **whole}


def write(report: CheckReport, folder: Path) -> tuple[Path, Path]:
    """-> the page and the JSON file; RecordError if they cannot be written."""
    html, json = folder / HTML, folder / JSON
    try:
        folder.mkdir(parents=True, exist_ok=True)
        html.write_text(page(report), encoding="utf-8")
        json.write_text(dumps(data(report), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise RecordError(f"{folder}: cannot be written: {error.strerror}; name another folder with --out") from None
    return html, json
