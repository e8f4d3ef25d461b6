"""Writes the reference pages that follow from the code: `docs/reference/cli.md`, `machines.md`, `configuration.md`, `mqtt.md`.

    python tools/reference_pages.py           write them
    python tools/reference_pages.py --check   exit 1 and name the pages that are not current
"""

import dataclasses
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from device_models import config as plant  # noqa: E402
from linac_ctl.campaign import config as campaign  # noqa: E402
from linac_ctl.cli.main import cli  # noqa: E402
from linac_ctl.config import machine, session  # noqa: E402
from linac_ctl.config.bundle import MachineFile  # noqa: E402
from linac_ctl.config.loader import available, load_machine  # noqa: E402
from linac_ctl.injection import schedule  # noqa: E402
from linac_ctl.interlocks import table  # noqa: E402
from linac_ctl.sequencer import protocol  # noqa: E402
from linac_ctl.sequencer.workflow import STEPS  # noqa: E402
from linac_ctl.study import config as study  # noqa: E402
from tools import mqtt_tables  # noqa: E402

REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Written by tools/reference_pages.py: run it again instead of editing here. -->\n"
BEGIN, END = "<!-- tables: begin, written by tools/reference_pages.py -->", "<!-- tables: end -->"
WIDTH = 100
MODELS: tuple[tuple[str, str, type[BaseModel]], ...] = (
    ("Session file", "", session.SessionConfig),
    ("`plan:` of a session", "", session.PlanChoice),
    ("`operators:` of a session", "", session.OperatorsConfig),
    ("`operators.people[]`", "", session.Person),
    ("`operators.events[]`", "What hands can do is listed in [an operator script](../how-to/write-an-operator-script.md).",
     session.OperatorEvent),
    ("`patient:` of a session", "", session.PatientConfig),
    ("`patient.set_up_error:`", "", session.SetUpErrorConfig),
    ("`patient.motion:`", "", session.MotionConfig),
    ("`patient.turn_shift:`", "", session.TurnShiftConfig),
    ("Workflow file", "", session.WorkflowConfig),
    ("Machine file", "", MachineFile),
    ("`controller:` what may be asked of the machine", "", machine.MachineConfig),
    ("`controller.gantry[]` and every other list of axes", "", machine.AxisConfig),
    ("`controller.mlc`", "", machine.MlcConfig),
    ("`controller.kv_imager`", "", machine.KvImagerConfig),
    ("`controller.kv_imager.flex`", "", machine.KvFlexConfig),
    ("`controller.mv_imager`", "Its `flex` has the same fields.", machine.MvImagerConfig),
    ("`controller.beam`", "", machine.BeamLimits),
    ("`controller.beam.modes.<name>`", "", machine.ModeConfig),
    ("`plant:` what is physically true", "", plant.PlantConfig),
    ("`plant.gantry[]` and every other list of drives", "", plant.DriveConfig),
    ("`plant.modes.<name>`", "", plant.ModeConfig),
    ("`plant.source`", "", plant.SourceConfig),
    ("`plant.safety`", "", plant.SafetyConfig),
    ("`plant.bodies`", "", plant.BodyConfig),
    ("Protocol file", "", protocol.ProtocolConfig),
    ("`technique:` of a protocol", "", protocol.TechniqueConfig),
    ("`scans.<standard or quick>`", "", protocol.ScanConfig),
    ("`pair:`", "", protocol.PairConfig),
    ("`mv:`", "Images by the beam of the treatment machine.", protocol.MvConfig),
    ("`port:`", "", protocol.PortConfig),
    ("`physics:`", "", protocol.ImagePhysics),
    ("`registration:`", "", protocol.RegistrationConfig),
    ("`levels:`", "", protocol.ActionLevels),
    ("`verify:`", "", protocol.VerifyConfig),
    ("`after_turn:`", "After a turn of the couch between beams.", protocol.AfterTurnConfig),
    ("`shift:`", "", protocol.ShiftConfig),
    ("`approval:`", "", protocol.ApprovalConfig),
    ("`intrafraction:`", "The patient in the beam; see [how](../how-to/watch-during-the-beam.md).", protocol.IntrafractionConfig),
    ("`triggered:`", "kV images while the beam is on, and what is done with what they show.", protocol.TriggeredConfig),
    ("`surface:`", "What the surface monitor may show.", protocol.SurfaceConfig),
    ("`fluoroscopy:`", "A look at how the target moves, before treatment.", protocol.FluoroscopyConfig),
    ("Study file", "Used by [`linac-ctl study margins`](../how-to/margin-study.md).", study.StudyConfig),
    ("`pair:` of a study", "", study.PairConfig),
    ("`set_up:`", "", study.SetUpConfig),
    ("`drift:`", "", study.DriftConfig),
    ("`machine_errors:`", "", study.MachineErrors),
    ("`timeline:`", "", study.Timeline),
    ("`arms[]`", "", study.ArmConfig),
    ("`published[]`", "", study.Published),
    ("Fault schedule", "What goes wrong in a run; see [fault modes](fault-modes.md).", schedule.ScheduleConfig),
    ("`faults[]`", "", schedule.FaultConfig),
    ("`when:` of a fault", "", schedule.WhenConfig),
    ("`lasts:` of a fault", "", schedule.LastsConfig),
    ("Campaign file", "", campaign.CampaignConfig),
    ("`sessions[]` of a campaign", "", campaign.SessionChoice),
    ("`fault_free:`", "", campaign.FaultFreeConfig),
    ("`grid:`", "", campaign.GridConfig),
    ("`pairs:`", "", campaign.PairsConfig),
    ("`swarm:`", "", campaign.SwarmConfig),
    ("`guided:`", "", campaign.GuidedConfig),
    ("`modes:` of a part of a campaign", "", campaign.ModesChoice),
    ("`lasts[]` of a part of a campaign", "", campaign.LastsChoice),
    ("Interlock file", "", table.InterlockTable),
    ("`parameters:` of an interlock file", "", table.Parameters),
    ("`classes.<letter>`", "", table.ClassDefaults),
    ("`rows[]`", "`fine` is the healthy side, so NaN, missing and stale trip.", table.Interlock),
)


def commands(command: click.Command, parent: click.Context | None, name: str) -> Iterator[click.Context]:
    """Contexts of a command and of everything below it."""
    context = click.Context(command, info_name=name, parent=parent, terminal_width=WIDTH, **command.context_settings)
    yield context
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None:
                yield from commands(found, context, child)


def cli_page() -> str:
    """Every `--help`, in the order of the commands."""
    parts = [NOTE, "# Command line\n", "`linac-ctl` after an installation, `./linac` in a checkout: the same commands. "
             "Simulator, not a medical device. Exit codes: [exit-codes](exit-codes.md).\n"]
    for context in commands(cli, None, "linac-ctl"):
        help_text = "\n".join(line.rstrip() for line in context.get_help().splitlines())
        parts.append(f"## {context.command_path}\n\n```text\n{help_text}\n```\n")
    return "\n".join(parts)


def type_text(annotation: Any) -> str:
    """A type as a person would say it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (UnionType, Union):
        return " or ".join("none" if a is type(None) else type_text(a) for a in arguments)
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return f"list of {type_text(arguments[0])}"
        return f"{len(arguments)} x {type_text(arguments[0])}"
    if origin is dict:
        return f"name: {type_text(arguments[1])}"
    if getattr(origin, "__name__", "") == "Literal":
        return ", ".join(f"`{a}`" for a in arguments)
    names = {float: "number", int: "whole number", str: "text", bool: "true/false"}
    return names.get(annotation, "group" if isinstance(annotation, type) and issubclass(annotation, BaseModel) else "value")


def limits(field: FieldInfo) -> str:
    """Bounds and patterns of a field."""
    signs = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "pattern": "matches", "min_length": "at least"}
    found = []
    for rule in field.metadata:
        for name, sign in signs.items():
            value = getattr(rule, name, None)
            if value is not None:
                found.append(f"{sign} `{value}`" if name == "pattern" else f"{sign} {value}")
    return ", ".join(found)


def default_text(field: FieldInfo) -> str:
    """What holds when the key is left out."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value == () or value == {} or value == "" or isinstance(value, BaseModel):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def cell(text: str) -> str:
    """Safe inside a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def model_table(model: type[BaseModel]) -> str:
    """One row per key."""
    lines = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        if name == "kind" and field.alias is None:
            continue
        value = ", ".join(part for part in (type_text(field.annotation), limits(field)) if part)
        lines.append(f"| `{field.alias or name}` | {cell(value)} | {cell(default_text(field))} | {cell(field.description or '')} |")
    return "\n".join(lines)


def step_tables() -> str:
    """Settings of every step of a workflow."""
    lines = ["| step | settings (default) | what it does |", "|---|---|---|"]
    for name, step in STEPS.items():
        settings = ", ".join(f"`{f.name}` ({str(f.default).lower() if isinstance(f.default, bool) else f.default})"
                             for f in dataclasses.fields(step))
        summary = (sys.modules[step.__module__].__doc__ or "").strip().splitlines()[0].removeprefix("Step: ")
        lines.append(f"| `{name}` | {settings or 'none'} | {cell(summary)} |")
    return "\n".join(lines)


def configuration_tables() -> str:
    """All keys of all kinds of files."""
    parts = ["## Every key\n"]
    for title, note, model in MODELS:
        summary = note or (model.__doc__ or "").strip().splitlines()[0]
        parts.append(f"### {title}\n\n{summary}\n\n{model_table(model)}\n")
        if model is session.WorkflowConfig:
            parts.append("### `steps[]` of a workflow\n\nEvery entry names a `step` and may set what the step takes.\n\n"
                         f"{step_tables()}\n")
    return "\n".join(parts)


def renewed(name: str, tables: str) -> str:
    """A hand-written page with its tables renewed."""
    text = (REFERENCE / name).read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before.rstrip()}\n\n{BEGIN}\n\n{tables}\n{END}\n{after.lstrip()}"


def axis_rows(config: machine.MachineConfig) -> Iterator[str]:
    """Every axis of a machine; one row for all leaves."""
    axes = [axis for name in ("gantry", "collimator", "jaws") for axis in getattr(config, name)]
    axes += [config.mlc.leaf] if config.mlc else []
    axes += [axis for name in ("carriages", "couch", "kv_arms", "mv_arm") for axis in getattr(config, name)]
    for a in axes:
        yield (f"| {a.name} | {a.low:g} .. {a.high:g} {a.unit} | {a.speed:g} {a.unit}/s | {a.beam_speed:g} {a.unit}/s "
               f"| {a.accel:g} {a.unit}/s2 | {a.tolerance:g} {a.unit} |")


def widths(boundaries: tuple[float, ...]) -> str:
    """Leaf widths in mm with how many pairs have each."""
    sizes = [round(b - a, 3) for a, b in itertools.pairwise(boundaries)]
    return ", ".join(f"{sizes.count(size)} x {size:g}" for size in sorted(set(sizes)))


def machine_section(name: str) -> str:
    """One machine file."""
    found = load_machine(name)
    config, source = found.controller, found.plant.source
    modes = ", ".join(f"{mode} to {m.max_dose_rate_mu_per_min:g} MU/min" for mode, m in config.beam.modes.items())
    lines = [f"## {name}\n", f"{found.description}.\n", f"- beam modes: {modes}"]
    if config.mlc:
        log = config.mlc.log_model if config.mlc.log_model is not None else "no trajectory log"
        lines.append(f"- MLC: `{config.mlc.model}`, {config.mlc.pairs} pairs ({widths(config.mlc.boundaries_mm)} mm), "
                     f"span of one bank {config.mlc.span_mm:g} mm, model number in trajectory logs: {log}")
    lines += [f"- gun and RF warm in {source.warm_up_s:g} s, first pulse {source.beam_on_latency_s:g} s after the permit",
              f"- interlock table: `{found.interlocks}`\n",
              "| axis | range | speed | speed with beam | acceleration | there within |", "|---|---|---|---|---|---|"]
    return "\n".join([*lines, *axis_rows(config)]) + "\n"


def machines_page() -> str:
    """Every machine that can be named."""
    intro = """# Machines

What the controller may ask of every machine under `configs/machines`; leaf ranges are those of bank A (bank B is mirrored). What is
physically true (top speeds, servo, backlash, encoder noise, chambers) is in the `plant:` half of the same file, where every figure
carries a mark that says where it comes from: measured, verified in a named source, domain knowledge, or suggested. None of them
describes a product, and none is for clinical use. Add your own: [how to](../how-to/add-a-machine.md).
"""
    return "\n".join([NOTE, intro, *(machine_section(name) for name in shipped())])


def shipped() -> list[str]:
    """Machines of this repository, whatever the working folder holds."""
    return [name for name, path in available("machines").items() if path.is_relative_to(ROOT)]


def pages() -> dict[Path, str]:
    """Path -> text as it should be."""
    return {REFERENCE / "cli.md": cli_page(), REFERENCE / "machines.md": machines_page(),
            REFERENCE / "configuration.md": renewed("configuration.md", configuration_tables()),
            REFERENCE / "mqtt.md": renewed("mqtt.md", mqtt_tables.tables())}


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 if a page is not current.")
def main(check: bool) -> None:
    """Write the generated reference pages."""
    old = [path for path, text in pages().items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path in old:
        click.echo(f"{path.relative_to(ROOT)}: {'not current' if check else 'written'}")
        if not check:
            path.write_text(pages()[path], encoding="utf-8")
    sys.exit(1 if check and old else 0)


if __name__ == "__main__":
    main()
