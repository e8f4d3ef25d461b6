"""The page of a study: one HTML file that needs nothing else; and the other files beside it."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from ..errors import RecordError
from ..records.jsonio import replace_file, write_json
from .outcome import Outcome
from .pictures import pictures


def render(outcome: Outcome, drawn: dict[str, str]) -> str:
    """HTML."""
    environment = Environment(loader=PackageLoader("linac_ctl.study", "templates"), undefined=StrictUndefined,
                              autoescape=select_autoescape(("j2",)), trim_blocks=True, lstrip_blocks=True)
    shown = {name.replace("-", "_"): Markup(svg) for name, svg in drawn.items()}
    return environment.get_template("study.html.j2").render(o=outcome, study=outcome.study, pictures=shown)


def write(outcome: Outcome, folder: Path, **more: Any) -> dict[str, Path]:
    """study.html, result.json, sessions.csv, patients.csv and plots/*.svg; -> what is where."""
    drawn = pictures(outcome)
    try:
        (folder / "plots").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(f"{folder}: cannot be made: {error.strerror}; choose another --out") from None
    files = {"page": folder / "study.html", "result": folder / "result.json", "sessions": folder / "sessions.csv",
             "patients": folder / "patients.csv"}
    replace_file(files["page"], render(outcome, drawn).encode())
    replace_file(files["sessions"], outcome.table.encode())
    replace_file(files["patients"], outcome.patients.encode())
    for name, svg in drawn.items():
        replace_file(folder / "plots" / f"{name}.svg", svg.encode())
    write_json(files["result"], outcome.as_dict(**more))
    return files
