"""Tables of `docs/reference/mqtt.md`, from the topics and the wires that the code has."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from linac_ctl.app import Simulation  # noqa: E402
from linac_ctl.order import resolve  # noqa: E402
from linac_ctl.telemetry.layout import STAMPS, WORDS  # noqa: E402
from linac_ctl.telemetry.topics import KINDS  # noqa: E402
from linac_ctl.telemetry.topics import ROOT as TREE  # noqa: E402
from linac_ctl.telemetry.wires import sources  # noqa: E402

MACHINE, SESSION = "c_arm_m120", "palliative"


def topics() -> Iterator[str]:
    """One row per kind of message."""
    yield from ("| topic | QoS | retained | when | what |", "|---|---|---|---|---|")
    for kind in KINDS:
        yield f"| `{TREE}/<machine>/{kind.topic}` | {kind.qos} | {'yes' if kind.retained else 'no'} | {kind.when} | {kind.what} |"


def stamps() -> Iterator[str]:
    """What stands beside the values."""
    yield from ("| key | meaning |", "|---|---|")
    yield from (f"| `{key}` | {what} |" for key, what in STAMPS.items())


def unit(field: Any) -> str:
    """Unit or values of a field, for people."""
    if field.values:
        return ", ".join(f"`{value}`" for value in field.values)
    return {"axis": "list, one per axis, mm or deg: see `axes` in `$meta`", "switch": "true/false", "count": "whole number"}.get(
        field.unit, field.unit)


def machine_fields() -> list[Any]:
    """All fields of the machine that has everything."""
    with tempfile.TemporaryDirectory() as scratch:
        return [field for field, _ in sources(Simulation(resolve(SESSION, machine=MACHINE, scratch=Path(scratch))))]


def fields() -> Iterator[str]:
    """One row per field; subsystems that have the same one share it."""
    yield from ("| subsystem | message | field | unit or values | what |", "|---|---|---|---|---|")
    shared: dict[tuple[str, ...], list[str]] = {}
    for field in machine_fields():
        shared.setdefault((field.channel, field.name, unit(field), field.what), []).append(field.subsystem)
    for (channel, name, values, what), subsystems in shared.items():
        yield f"| {', '.join(subsystems)} | {channel} | `{name}` | {values} | {what} |"
    for subsystem, parts in WORDS.items():
        for name, about in parts["state"].items():
            yield f"| {subsystem} | state | `{name}` | | {about['what']} |"


def tables() -> str:
    """All three."""
    return "\n".join(["## Topics\n", *topics(), "\n## Stamps\n", *stamps(), f"\n## Fields of `{MACHINE}`\n", *fields(), ""])
