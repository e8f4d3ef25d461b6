"""What is to be run, resolved from files and options: machine, interlocks, workflow, plan, staff. Nothing is built yet."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .config.loader import Loaded, Machine, Origin, canonical_json, load, load_machine, machine_from, validate
from .config.session import SessionConfig, WorkflowConfig
from .errors import RefusedError, UsageError
from .interlocks.table import InterlockTable
from .plan.dicom_import import read_plan
from .plan.model import Plan
from .sequencer.session import Step
from .sequencer.staff import Act, Person, latched_before
from .sequencer.workflow import build

DEFAULT_PEOPLE: tuple[Person, ...] = (("anna", "therapist"), ("ben", "therapist"), ("chris", "physicist"), ("dana", "physician"))


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """Everything a run follows from. Same order, same code: same bytes."""

    name: str
    machine: Machine
    table: InterlockTable
    workflow: str
    steps: tuple[Step, ...]
    plan: Plan
    plan_path: Path
    group: int | None
    seed: int
    people: tuple[Person, ...]
    reaction_s: float
    script: tuple[Act, ...]
    longest_s: float
    configuration: dict[str, Any]  # part -> {name, data, origin}
    files: tuple[tuple[Path, str], ...]  # configuration files and the sha256 they had

    @property
    def configuration_sha256(self) -> str:
        """Over all configuration files."""
        return hashlib.sha256("".join(sha for _, sha in self.files).encode()).hexdigest()


def resolve(session: str, *, plan: Path | None = None, machine: str | None = None, workflow: str | None = None,
            seed: int | None = None, scratch: Path) -> Order:
    """Read all files; ConfigError or PlanError says what is wrong where. `scratch` takes a plan that is made here."""
    chosen = load("sessions", session)
    config = validate(SessionConfig, chosen)
    the_machine = load_machine(machine or config.machine)
    table_file = load("interlocks", the_machine.interlocks)
    flow_file = load("workflows", workflow or config.workflow)
    flow = validate(WorkflowConfig, flow_file)
    steps = build([step.model_dump() for step in flow.steps], str(flow_file.path))
    path = plan or plan_path(config, the_machine, scratch)
    parts = {"session": chosen, "machine": the_machine.loaded, "interlocks": table_file, "workflow": flow_file}
    return Order(
        name=config.name, machine=the_machine, table=validate(InterlockTable, table_file), workflow=flow.name, steps=steps,
        plan=read_plan(path), plan_path=path, group=config.fraction_group, seed=config.seed if seed is None else seed,
        people=people(config), reaction_s=config.operators.reaction_s if config.operators else 1.0, script=script(config),
        longest_s=config.time_limit_s, configuration={name: described(part) for name, part in parts.items()},
        files=tuple((file, hashlib.sha256(file.read_bytes()).hexdigest()) for part in parts.values() for file in part.files),
    )


def described(part: Loaded) -> dict[str, Any]:
    """For config.json."""
    return {"name": part.name, "data": part.data, "origin": {key: str(value) for key, value in part.origin.items()}}


def plan_path(config: SessionConfig, machine: Machine, scratch: Path) -> Path:
    """The plan file of a session; one that the session asks to be made is written to `scratch`."""
    from .plan.make import write_plan

    choice = config.plan
    if choice is None:
        raise UsageError(f"session {config.name}: names no plan; give one with --plan FILE")
    if choice.file:
        return Path(choice.file)
    if not choice.make:
        raise UsageError(f"session {config.name}: plan needs `file` or `make`")
    path = scratch / f"{choice.make}.dcm"
    model = machine.controller.mlc.model if machine.controller.mlc else "millennium_120"
    write_plan(path, choice.make, mlc=choice.mlc or model, mu=choice.mu)
    return path


def people(config: SessionConfig) -> tuple[Person, ...]:
    """The session's staff, or the usual four."""
    if config.operators and config.operators.people:
        return tuple((p.name, p.role) for p in config.operators.people)
    return DEFAULT_PEOPLE


def script(config: SessionConfig) -> tuple[Act, ...]:
    """What the session's people do at given moments."""
    if not config.operators:
        return ()
    return tuple(Act(e.do, e.who, e.at_s, e.on, e.after_s, e.reason or "") for e in config.operators.events)


def resume_order(run: Path, seed: int | None = None) -> tuple[Order, dict[str, Any]]:
    """The order of an earlier run, from its own record, and what is left of it: partial MU.

    RefusedError when every beam is complete or an interlock is still latched. The later run takes nothing from files that
    may have changed since.
    """
    from .records.run_record import RunRecord

    record = RunRecord.open(run)
    parts = record.config()
    files = {name: recorded(run, parts[name]) for name in ("session", "machine", "interlocks", "workflow")}
    config, flow = validate(SessionConfig, files["session"]), validate(WorkflowConfig, files["workflow"])
    partials = {b.number: (record.delivered(b.number), record.remaining(b.number) <= 0.0) for b in record.manifest.beams}
    if all(done for _, done in partials.values()):
        raise RefusedError(f"{run}: every beam is complete; there is nothing to resume")
    if latches := record.latches():
        raise RefusedError(latched_before(latches, str(run)))
    plan = read_plan(run / "plan.dcm")
    if plan.sha256 != record.manifest.plan_sha256:
        raise RefusedError(f"{run / 'plan.dcm'}: not the plan that this run delivered from; it was changed since")
    order = Order(
        name=config.name, machine=machine_from(files["machine"]), table=validate(InterlockTable, files["interlocks"]),
        workflow=flow.name, steps=build([step.model_dump() for step in flow.steps], str(run)), plan=plan,
        plan_path=run / "plan.dcm", group=config.fraction_group, seed=record.manifest.seed if seed is None else seed,
        people=people(config), reaction_s=config.operators.reaction_s if config.operators else 1.0, script=(),
        longest_s=config.time_limit_s, configuration=parts, files=())
    return order, {"partials": partials, "resumes": str(run)}


def recorded(run: Path, part: dict[str, Any]) -> Loaded:
    """A part of config.json, as if it had just been read from its files."""
    path = run / "config.json"
    sha256 = hashlib.sha256(canonical_json(part["data"]).encode()).hexdigest()
    return Loaded(part["data"], {"": Origin(str(path), 1, 1)}, (), sha256, str(part["name"]), path)
