"""`linac-ctl config`: what configurations there are, what is in them, and whether they are right."""

import json
from pathlib import Path
from typing import Any

import click

from linac_ctl.config.loader import KINDS, Loaded, available, find, read_file
from linac_ctl.config.suggest import did_you_mean
from linac_ctl.config.yaml_strict import dump
from linac_ctl.errors import ConfigError, UsageError

from . import config_check

FOLDER_OF = {kind: folder for folder, kind in KINDS.items()}
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
KIND = click.option("--kind", type=click.Choice(list(FOLDER_OF)), help="Needed only if several kinds use the name.")


@click.group("config")
def command() -> None:
    """List, show and check configuration files.

    Files are looked for in ./configs/KIND/NAME.yaml, then among those that come with linac-ctl.
    """


@command.command("list")
@AS_JSON
def list_all(as_json: bool) -> None:
    """Every machine, session, workflow and interlock table that can be named."""
    found = [entry(folder, name, path) for folder in KINDS for name, path in available(folder).items()]
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for folder in KINDS:
        click.secho(folder, bold=True)
        for item in (e for e in found if e["kind"] == KINDS[folder]):
            click.echo(f"  {item['name']:<20} {item['description']}")


def entry(folder: str, name: str, path: Path) -> dict[str, str]:
    """One line of the list; a file that cannot be read says so instead of hiding the others."""
    try:
        description = str(read_file(path, folder).data.get("description", ""))
    except ConfigError as error:
        description = f"cannot be read: {str(error).splitlines()[0]}"
    return {"kind": KINDS[folder], "name": name, "description": description, "path": str(path)}


def look_up(name: str, kind: str | None) -> Loaded:
    """A file by name, whatever its kind, or by path."""
    if "/" in name or name.endswith((".yaml", ".yml")):
        return read_file(find(FOLDER_OF[kind] if kind else "machines", name), FOLDER_OF[kind] if kind else None)
    hits = [folder for folder in ([FOLDER_OF[kind]] if kind else KINDS) if name in available(folder)]
    if len(hits) > 1:
        raise UsageError(f"{name!r} is a {' and a '.join(KINDS[h] for h in hits)}; say which with --kind")
    if not hits:
        names = sorted({n for folder in KINDS for n in available(folder)})
        raise ConfigError(f"no configuration named {name!r}{did_you_mean(name, names)}; see linac-ctl config list")
    return read_file(find(hits[0], name), hits[0])


@command.command("show")
@click.argument("name")
@KIND
@click.option("--origin", is_flag=True, help="Show file and line of every value.")
@AS_JSON
def show(name: str, kind: str | None, origin: bool, as_json: bool) -> None:
    """What NAME (or a path) comes to, with everything it extends merged in."""
    loaded = look_up(name, kind)
    if as_json:
        places = {"origin": {path: str(place) for path, place in loaded.origin.items()}} if origin else {}
        answer = {"name": loaded.name, "files": [str(f) for f in loaded.files], "sha256": loaded.sha256, **places}
        click.echo(json.dumps(answer | {"data": loaded.data}, indent=2, ensure_ascii=False))
    elif origin:
        click.echo("\n".join(origin_lines(loaded)))
    else:
        click.echo(dump(loaded.data), nl=False)


def origin_lines(loaded: Loaded) -> list[str]:
    """`path: value   file:line`, one a value, the places in one column."""
    values = list(leaves(loaded.data))
    texts = [f"{path}: {json.dumps(value, ensure_ascii=False)}" for path, value in values]
    width = min(max((len(text) for text in texts), default=0), 70)
    places = [loaded.at(path) for path, _ in values]
    return [f"{text:<{width}}  {at.file}:{at.line}" for text, at in zip(texts, places, strict=True)]


def leaves(data: Any, path: str = "") -> list[tuple[str, Any]]:
    """(dotted path, value); a list of plain values is one value."""
    if isinstance(data, dict) and data:
        return [leaf for key, value in data.items() for leaf in leaves(value, f"{path}.{key}".lstrip("."))]
    if isinstance(data, list) and any(isinstance(item, dict | list) for item in data):
        return [leaf for i, value in enumerate(data) for leaf in leaves(value, f"{path}.{i}")]
    return [(path, data)]


@command.command("check")
@click.argument("names", nargs=-1, metavar="[FILE...]")
@AS_JSON
def check(names: tuple[str, ...], as_json: bool) -> int:
    """Read FILEs (names or paths; without any: everything there is) as a run would; exit 3 if one is wrong."""
    everything = [(name, kind) for folder, kind in KINDS.items() for name in available(folder)]
    asked: list[tuple[str, str | None]] = [(name, None) for name in names] or [*everything]
    results = [(name, kind, problems_of(name, kind)) for name, kind in asked]
    wrong = [result for result in results if result[2]]
    if as_json:
        answer = [{"name": name, "ok": not problems, "problems": problems} for name, _, problems in results]
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return 3 if wrong else 0
    for name, kind, problems in results:
        good = f"{name}: ok" + (f" ({kind})" if kind else "")
        click.echo("\n".join(problems) or good, err=bool(problems))
    return 3 if wrong else 0


def problems_of(name: str, kind: str | None) -> list[str]:
    """Every problem of one file, as `file:line:column: ...`."""
    try:
        config_check.check(look_up(name, kind))
    except ConfigError as error:
        return str(error).splitlines()
    return []


@command.command("schema")
@click.argument("kind", type=click.Choice(list(FOLDER_OF)))
def schema(kind: str) -> None:
    """JSON Schema of a KIND of file, for editors that complete and check YAML."""
    click.echo(json.dumps(config_check.model_of(kind).model_json_schema(), indent=2))
