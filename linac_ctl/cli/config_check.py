"""What makes a configuration file right: its model, and that what it names exists."""

from collections.abc import Callable

from pydantic import BaseModel

from linac_ctl.config.bundle import MachineFile, machine_from
from linac_ctl.config.loader import Loaded, find, validate
from linac_ctl.config.session import SessionConfig, WorkflowConfig
from linac_ctl.errors import ConfigError


def model_of(kind: str) -> type[BaseModel]:
    """The model of a kind of file: machine, session, workflow, interlocks."""
    if kind == "interlocks":
        from linac_ctl.interlocks.table import InterlockTable  # brings the compiler in: only when asked

        return InterlockTable
    if kind == "protocol":
        from linac_ctl.sequencer.protocol import ProtocolConfig

        return ProtocolConfig
    if kind == "study":
        from linac_ctl.study.config import StudyConfig

        return StudyConfig
    if kind == "campaign":
        from linac_ctl.campaign.config import CampaignConfig

        return CampaignConfig
    if kind == "faults":
        from linac_ctl.injection.schedule import ScheduleConfig

        return ScheduleConfig
    models: dict[str, type[BaseModel]] = {
        "machine": MachineFile, "session": SessionConfig, "workflow": WorkflowConfig,
    }
    return models[kind]


def check(loaded: Loaded) -> None:
    """ConfigError unless the file is right and everything that it names is there."""
    checks: dict[str, Callable[[Loaded], None]] = {
        "machine": check_machine, "session": check_session, "workflow": check_workflow, "interlocks": check_interlocks,
        "protocol": check_protocol, "study": check_study, "campaign": check_campaign,
        "faults": check_faults,
    }
    checks[loaded.data["kind"]](loaded)


def check_machine(loaded: Loaded) -> None:
    """Both halves, and the interlock table that it names."""
    machine_from(loaded)
    require(loaded, {"interlocks": "interlocks"})


def check_session(loaded: Loaded) -> None:
    """Its machine and workflow exist."""
    validate(SessionConfig, loaded)
    protocol = {"protocol": "protocols"} if loaded.data.get("protocol") else {}
    require(loaded, {"machine": "machines", "workflow": "workflows"} | protocol)


def check_workflow(loaded: Loaded) -> None:
    """Every step and setting exists."""
    from linac_ctl.sequencer.workflow import build

    workflow = validate(WorkflowConfig, loaded)
    build([step.model_dump() for step in workflow.steps], str(loaded.at("steps")))


def check_interlocks(loaded: Loaded) -> None:
    """Every row tests a signal that there is."""
    validate(model_of("interlocks"), loaded)


def check_protocol(loaded: Loaded) -> None:
    """Every level and limit makes sense."""
    validate(model_of("protocol"), loaded)


def check_study(loaded: Loaded) -> None:
    """Every arm makes sense; machine and protocol exist."""
    validate(model_of("study"), loaded)
    require(loaded, {"machine": "machines", "protocol": "protocols"})


def check_campaign(loaded: Loaded) -> None:
    """Every part makes sense; its sessions, their workflows and machines exist."""
    campaign = validate(model_of("campaign"), loaded)
    problems = []
    for i, choice in enumerate(campaign.sessions):  # type: ignore[attr-defined]
        for key, kind in (("session", "sessions"), ("workflow", "workflows"), ("machine", "machines")):
            try:
                if (name := getattr(choice, key)) is not None:
                    find(kind, name)
            except ConfigError as error:
                problems.append(f"{loaded.at(f'sessions.{i}.{key}')}: sessions.{i}.{key}: {error}")
    if problems:
        raise ConfigError("\n".join(problems))


def check_faults(loaded: Loaded) -> None:
    """Every fault makes sense. Whether a session can have it is seen when one is run with it."""
    from linac_ctl.injection.schedule import made_of

    made_of(loaded)


def require(loaded: Loaded, names: dict[str, str]) -> None:
    """Each key names a file of a kind that can be found."""
    problems = []
    for key, kind in names.items():
        try:
            find(kind, str(loaded.data[key]))
        except ConfigError as error:
            problems.append(f"{loaded.at(key)}: {key}: {error}")
    if problems:
        raise ConfigError("\n".join(problems))
