"""What is to be run, resolved from files and options: machine, interlocks, workflow, plan, staff. Nothing is built yet."""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from device_models.interface.wire.fields import EVERY_UNIT

from .config.loader import Loaded, Machine, Origin, canonical_json, load, load_machine, machine_from, validate
from .config.session import PatientConfig, SessionConfig, WorkflowConfig
from .errors import ConfigError, LinkUrlError, RefusedError, UsageError
from .interlocks.table import InterlockTable
from .links.url import LinkUrl, parse_link
from .plan.dicom_import import read_plan
from .plan.expected import Expected
from .plan.model import Plan
from .sequencer.protocol import ProtocolConfig
from .sequencer.session import Step
from .sequencer.staff import Act, Person, latched_before
from .sequencer.workflow import build, takes_images, takes_mv_images

RefereeMode = Literal["stop", "watch"]  # what the referee does in line: stop a run that violates a property, or note it only
DEFAULT_PEOPLE: tuple[Person, ...] = (("anna", "therapist"), ("ben", "therapist"), ("chris", "physicist"), ("dana", "physician"))


@dataclass(frozen=True, slots=True)
class ImagingOrder:
    """Who lies there, by which protocol, and which of its scans."""

    patient: PatientConfig
    protocol: ProtocolConfig
    scan: str
    room: Any = None  # imager_link.Prepared, once somebody has made it; sessions may share it


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
    imaging: "ImagingOrder | None" = None  # only of workflows that take images
    links: dict[str, LinkUrl] = field(default_factory=dict)  # unit -> where it is; none named = in process
    of_record: str = ""  # hash of the configuration files of the run that this order repeats
    referee: RefereeMode = "stop"
    expected: Expected | None = None  # what the plan has to be; None = nobody but its file says so

    @property
    def configuration_sha256(self) -> str:
        """Over all configuration files."""
        return self.of_record or hashlib.sha256("".join(sha for _, sha in self.files).encode()).hexdigest()


def resolve(session: str, *, plan: Path | None = None, machine: str | None = None, workflow: str | None = None,
            seed: int | None = None, patient: dict[str, str] | None = None, links: dict[str, LinkUrl] | None = None,
            scratch: Path) -> Order:
    """Read all files; ConfigError or PlanError says what is wrong where. `scratch` takes a plan that is made here.

    `patient`: ct, structures and target in place of the session's. `links`: in place of, or besides, the session's.
    """
    chosen = load("sessions", session)
    if patient:
        chosen = with_patient(chosen, patient)
    if plan:
        chosen = with_plan(chosen, plan)
    config = validate(SessionConfig, chosen)
    the_machine = load_machine(machine or config.machine)
    table_file = load("interlocks", the_machine.interlocks)
    flow_file = load("workflows", workflow or config.workflow)
    flow = validate(WorkflowConfig, flow_file)
    steps = build([step.model_dump() for step in flow.steps], str(flow_file.path))
    path = plan or plan_path(config, the_machine, scratch)
    the_plan = read_plan(path)
    parts = {"session": chosen, "machine": the_machine.loaded, "interlocks": table_file, "workflow": flow_file}
    if takes_images(steps) and config.protocol is not None:
        parts["protocol"] = load("protocols", config.protocol)
    return Order(
        name=config.name, machine=the_machine, table=validate(InterlockTable, table_file), workflow=flow.name, steps=steps,
        plan=the_plan, plan_path=path, group=config.fraction_group, seed=config.seed if seed is None else seed,
        people=people(config), reaction_s=config.operators.reaction_s if config.operators else 1.0, script=script(config),
        longest_s=config.time_limit_s, configuration={name: described(part) for name, part in parts.items()},
        files=tuple((file, hashlib.sha256(file.read_bytes()).hexdigest()) for part in parts.values() for file in part.files),
        imaging=imaging_order(config, the_machine, steps, flow.name, parts.get("protocol")),
        links=session_links(config, chosen) | (links or {}), expected=expected_plan(config, the_plan.sha256),
    )


def session_links(config: SessionConfig, loaded: Loaded) -> dict[str, LinkUrl]:
    """The session's `links`; ConfigError with file:line for one that is not understood."""
    found: dict[str, LinkUrl] = {}
    for name, url in config.links.items():
        try:
            found |= dict([parse_link(f"{name}={url}", EVERY_UNIT)])
        except LinkUrlError as error:
            raise ConfigError(f"{loaded.at(f'links.{name}')}: {error}") from None
    return found


def with_patient(session: Loaded, given: dict[str, str]) -> Loaded:
    """The session with another patient on the couch: set-up error and motion stay."""
    before = session.data.get("patient") or {}
    kept = {key: value for key, value in before.items() if key not in ("phantom", "ct", "structures", "target", "spacing_mm")}
    data = session.data | {"patient": kept | given}
    return replace(session, data=data, sha256=hashlib.sha256(canonical_json(data).encode()).hexdigest())


def with_plan(session: Loaded, plan: Path) -> Loaded:
    """The session with another plan: what it says of its own one does not hold for this one, what it expects does."""
    data = session.data | {"plan": {"file": str(plan)}}
    return replace(session, data=data, sha256=hashlib.sha256(canonical_json(data).encode()).hexdigest())


def expected_plan(config: SessionConfig, sha256: str) -> Expected | None:
    """As the session says; a plan that it asks to be made has to be what was ordered, in the file that came of it."""
    from .plan.make.recipes import find_recipe

    if (said := config.expect) is not None:
        return Expected(said.by, said.sha256, said.mu, said.beams, said.fraction_gy, said.within_percent)
    if config.plan is None or config.plan.make is None:
        return None
    return Expected("the order", sha256, find_recipe(config.plan.make).mu if config.plan.mu is None else config.plan.mu)


def imaging_order(config: SessionConfig, machine: Machine, steps: tuple[Step, ...], workflow: str,
                  protocol: Loaded | None) -> ImagingOrder | None:
    """None when no step takes images; ConfigError when one does and something for it is missing."""
    if not takes_images(steps):
        return None
    missing = [what for what, there in (("the session's `patient`", config.patient), ("the session's `protocol`", protocol),
                                        (f"`kv_imager` of machine {machine.name}", machine.controller.kv_imager),
                                        (f"kV arms of machine {machine.name}", machine.controller.kv_arms)) if not there]
    if missing or config.patient is None or protocol is None:
        raise ConfigError(f"workflow {workflow} takes images, and these are missing: {', '.join(missing)}; add them, or use a "
                          f"workflow without imaging (--workflow no_image)")
    asked = validate(ProtocolConfig, protocol)
    if config.imaging not in asked.scans:
        raise ConfigError(f"protocol {asked.name}: no scan {config.imaging!r}; there are {', '.join(asked.scans)}")
    turned = asked.after_turn is not None and asked.after_turn.image == "mv_pair"
    check_mv(asked, machine, turned or takes_mv_images(steps), workflow)
    return ImagingOrder(config.patient, asked, config.imaging)


def check_mv(protocol: ProtocolConfig, machine: Machine, needed: bool, workflow: str) -> None:
    """ConfigError when MV images are asked for and cannot be had."""
    modes = ", ".join(machine.controller.beam.modes)
    if needed and (protocol.mv is None or machine.controller.mv_imager is None):
        where = f"`mv` in protocol {protocol.name}" if protocol.mv is None else f"`mv_imager` of machine {machine.name}"
        raise ConfigError(f"workflow {workflow} takes MV images, but there is no {where}; add it, or use kV images")
    if needed and protocol.mv is not None and protocol.mv.mode not in machine.controller.beam.modes:
        raise ConfigError(f"protocol {protocol.name}: mv.mode is {protocol.mv.mode!r}, machine {machine.name} has {modes}")


def described(part: Loaded) -> dict[str, Any]:
    """For config.json."""
    return {"name": part.name, "data": part.data, "origin": {key: str(value) for key, value in part.origin.items()}}


def plan_path(config: SessionConfig, machine: Machine, scratch: Path) -> Path:
    """The plan file of a session; one that the session asks to be made comes from the shelf, or is written to `scratch`."""
    from .plan.make.shelf import shelved_plan

    choice = config.plan
    if choice is None:
        raise UsageError(f"session {config.name}: names no plan; give one with --plan FILE")
    if choice.file:
        return Path(choice.file)
    if not choice.make:
        raise UsageError(f"session {config.name}: plan needs `file` or `make`")
    model = machine.controller.mlc.model if machine.controller.mlc else "millennium_120"
    return shelved_plan(choice.make, choice.mlc or model, choice.mu, scratch)


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
    partials = {b.number: (record.delivered(b.number), record.remaining(b.number) <= 0.0) for b in record.manifest.beams}
    if all(done for _, done in partials.values()):
        raise RefusedError(f"{run}: every beam is complete; there is nothing to resume")
    if latches := record.latches():
        raise RefusedError(latched_before(latches, str(run)))
    order = order_on_record(run, record)
    order = order if seed is None else replace(order, seed=seed)
    return replace(order, script=()), {"partials": partials, "resumes": str(run), "imaged_mu": record.imaged_mu()}


def order_on_record(run: Path, record: Any) -> Order:
    """What a run was ordered to do, from its folder alone: nothing is taken from files that may have changed since."""
    parts = record.config()
    files = {name: recorded(run, part) for name, part in parts.items()}
    config, flow = validate(SessionConfig, files["session"]), validate(WorkflowConfig, files["workflow"])
    plan = read_plan(run / "plan.dcm")
    if plan.sha256 != record.manifest.plan_sha256:
        raise RefusedError(f"{run / 'plan.dcm'}: not the plan that this run delivered from; it was changed since")
    machine, steps = machine_from(files["machine"]), build([step.model_dump() for step in flow.steps], str(run))
    return Order(
        name=config.name, machine=machine, table=validate(InterlockTable, files["interlocks"]),
        workflow=flow.name, steps=steps, plan=plan,
        plan_path=run / "plan.dcm", group=config.fraction_group, seed=record.manifest.seed,
        people=people(config), reaction_s=config.operators.reaction_s if config.operators else 1.0, script=script(config),
        longest_s=config.time_limit_s, configuration=parts, files=(),
        imaging=imaging_order(config, machine, steps, flow.name, files.get("protocol")),
        links=session_links(config, files["session"]), expected=expected_plan(config, plan.sha256))


def recorded(run: Path, part: dict[str, Any]) -> Loaded:
    """A part of config.json, as if it had just been read from its files."""
    path = run / "config.json"
    sha256 = hashlib.sha256(canonical_json(part["data"]).encode()).hexdigest()
    return Loaded(part["data"], {"": Origin(str(path), 1, 1)}, (), sha256, str(part["name"]), path)
