"""The report of a campaign: one HTML file that needs nothing else, and the same for scripts, CI and tables."""

from collections.abc import Sequence
from pathlib import Path
from shlex import join
from typing import Any
from xml.etree import ElementTree as Xml

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from ..config.yaml_strict import dump
from ..records.jsonio import replace_file, write_json
from .case import NO_FAULTS
from .config import PHASES
from .figures import figures
from .numbers import readable
from .pictures import COLORS, bar_of, pictures
from .row import Row
from .summary import METRICS, WORST_FIRST, badness, brief

SHOWN = 25


def write(rows: Sequence[Row], found: dict[str, Any], about: dict[str, Any], folder: Path) -> dict[str, Path]:
    """report.html, report.json, junit.xml and schedules/*.yaml of the runs that are shown; -> what is where."""
    files = {"page": folder / "report.html", "summary": folder / "report.json", "junit": folder / "junit.xml"}
    shown = sorted((row for row in rows if row.bad and not row.twin_of), key=badness)[:SHOWN]
    write_schedules(shown, folder)
    replace_file(files["page"], render(rows, found, about, folder, shown).encode())
    replace_file(files["junit"], junit(rows, about["name"]))
    write_json(files["summary"], found)
    return files


def write_schedules(rows: Sequence[Row], folder: Path) -> None:
    """As files that `linac-ctl run --faults` takes."""
    import json

    for row in rows:
        if has_faults(row):
            (folder / "schedules").mkdir(parents=True, exist_ok=True)
            replace_file(folder / "schedules" / f"{row.case_id}.yaml", dump(json.loads(row.schedule)).encode())


def command(row: Row, folder: Path, plan: Path | None = None) -> str:
    """Runs it again with everything on record. `plan`: in place of the session's own."""
    words = ["linac-ctl", "run", row.session]
    for name, value in (("workflow", row.workflow), ("machine", row.machine), ("plan", plan)):
        words += [f"--{name}", str(value)] if value else []
    words += ["--seed", str(row.seed)]
    words += ["--faults", str(folder / "schedules" / f"{row.case_id}.yaml")] if has_faults(row) else []
    return join([*words, "--out", f"runs/{row.case_id}"])


def has_faults(row: Row) -> bool:
    """Of the catalogue or not."""
    return row.schedule not in ("", NO_FAULTS)


def render(rows: Sequence[Row], found: dict[str, Any], about: dict[str, Any], folder: Path, shown: Sequence[Row]) -> str:
    """HTML without any outside request."""
    environment = Environment(loader=PackageLoader("linac_ctl.campaign", "templates"), undefined=StrictUndefined,
                              autoescape=select_autoescape(("j2",)), trim_blocks=True, lstrip_blocks=True)
    environment.filters["readable"] = readable
    worst = [brief(row) | {"command": command(row, folder)} for row in shown]
    about = about | {"description": sentence(about["description"])}
    phases = [phase for phase in PHASES if any(phase in line for line in found["matrix"].values())]
    return environment.get_template("campaign.html.j2").render(
        s=found, figures=figures(found), cells=cells(found["matrix"]), phases=phases,
        severity={m["mode"]: m["severity"] for m in found["modes"]}, colors=COLORS, metrics=METRICS, worst=worst,
        bad=sum(row.bad and not row.twin_of for row in rows), bar=Markup(bar_of(found["verdicts"])), folder=str(folder),
        pictures={name: Markup(svg) for name, svg in pictures(rows).items()}, **about)


def sentence(text: str) -> str:
    """With a stop at its end, as others follow it."""
    return text if not text or text[-1] in ".!?" else f"{text}."


def cells(matrix: dict[str, dict[str, dict[str, int]]]) -> dict[str, dict[str, dict[str, Any]]]:
    """What each cell of the matrix says."""
    return {mode: {phase: cell(counts) for phase, counts in row.items()} for mode, row in matrix.items()}


def cell(counts: dict[str, int]) -> dict[str, Any]:
    """Worst verdict, noticed of activated, all counts."""
    idle = counts.get("not_activated", 0) + counts.get("not_reachable", 0)
    verdicts = {name: n for name, n in counts.items() if name != "detected"}
    return {"worst": min(verdicts, key=WORST_FIRST.index), "noticed": counts.get("detected", 0),
            "activated": sum(verdicts.values()) - idle,
            "text": ", ".join(f"{counts[v]} {v.replace('_', ' ')}" for v in WORST_FIRST if v in counts)}


def junit(rows: Sequence[Row], name: str) -> bytes:
    """For CI: a test for every run; what was not activated is skipped, never passed."""
    own = [row for row in rows if not row.twin_of]
    root = Xml.Element("testsuites", name=name)
    suites: dict[str, Xml.Element] = {}
    for row in own:
        suite = row.modes if row.part == "grid" else row.part
        if suite not in suites:
            suites[suite] = Xml.SubElement(root, "testsuite", name=suite)
        words = (row.case_id, row.modes, row.phase, row.size, row.lasts, row.relation)
        test = Xml.SubElement(suites[suite], "testcase", classname=f"{name}.{suite}", time=f"{row.seconds:.3f}",
                              name=" ".join(word for word in words if word))
        if row.bad:
            kind = "error" if row.verdict == "crashed" else "failure"
            Xml.SubElement(test, kind, message=f"{row.verdict}: {row.reason}", type=row.verdict).text = row.schedule
        elif row.verdict in ("not_activated", "not_reachable"):
            Xml.SubElement(test, "skipped", message=row.verdict.replace("_", " "))
    for element in root:
        element.set("tests", str(len(element)))
        for count, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            element.set(count, str(len(element.findall(f"testcase/{kind}"))))
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))
