"""Sessions and workflows as files say them: configs/sessions/*.yaml and configs/workflows/*.yaml."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from .machine import Frozen

Role = Literal["therapist", "physicist", "physician", "engineer"]


def one_value(value: Any) -> Any:
    """A setting is a number, a word or yes/no, never a list or a group."""
    if not isinstance(value, bool | int | float | str):
        raise ValueError("a setting is one number, one text, or true/false")
    return value


Setting = Annotated[Any, AfterValidator(one_value)]


class PlanChoice(Frozen):
    """The plan of a session: a DICOM RT Plan, or one that is made on the spot."""

    file: str | None = Field(default=None, description="DICOM RT Plan, relative to the working folder")
    make: str | None = Field(default=None, description="kind of plan to make, as `plan make` names it")
    mlc: str | None = Field(default=None, description="leaves to make it for; none = the machine's own")
    mu: float | None = Field(default=None, gt=0, description="MU of the made plan; none = its usual")

    @model_validator(mode="after")
    def one_of_both(self) -> "PlanChoice":
        """Either a file or something to make."""
        if (self.file is None) == (self.make is None):
            raise ValueError("give either `file` or `make`, one of both")
        if self.file is not None and (self.mlc is not None or self.mu is not None):
            raise ValueError("`mlc` and `mu` are for plans that are made; a file says these itself")
        return self


class ExpectConfig(Frozen):
    """What the plan has to be, by record and verify or a second calculation of MU; any other plan is refused."""

    sha256: str = Field(default="", pattern="^([0-9a-f]{16,64})?$", description="of the approved plan file; 16 digits or more")
    mu: float | None = Field(default=None, gt=0, description="MU of the fraction, all beams together")
    beams: dict[int, float] = Field(default_factory=dict, description="MU of each beam, by DICOM beam number; others are refused")
    fraction_gy: float | None = Field(default=None, gt=0, description="prescribed dose of a fraction, against the plan's own")
    within_percent: float = Field(default=5.0, gt=0, le=20, description="by which MU and Gy may differ")
    by: str = Field(default="the session", min_length=1, description="who says so, for messages and the record")

    @model_validator(mode="after")
    def says_something(self) -> "ExpectConfig":
        """An expectation of nothing is a mistake."""
        if not (self.sha256 or self.beams or self.mu is not None or self.fraction_gy is not None):
            raise ValueError("say what is expected: `sha256`, `mu`, `beams` or `fraction_gy`")
        return self


class Person(Frozen):
    """Somebody on the staff."""

    name: str = Field(min_length=1)
    role: Role


class OperatorEvent(Frozen):
    """Something somebody does at a moment of machine time, or after something else happened."""

    at_s: float | None = Field(default=None, ge=0, description="machine time")
    on: str | None = Field(default=None, description="event to wait for, for example beam_on:1")
    after_s: float = Field(default=0.0, ge=0, description="time from that event")
    who: str
    do: str
    reason: str | None = None

    @model_validator(mode="after")
    def one_moment(self) -> "OperatorEvent":
        """Either a time or an event."""
        if (self.at_s is None) == (self.on is None):
            raise ValueError("give either `at_s` or `on`, one of both")
        return self


class OperatorsConfig(Frozen):
    """The people of an unattended run, and what they do besides what the workflow asks of them."""

    people: tuple[Person, ...] = Field(default=(), description="none = two therapists, a physicist, a physician")
    reaction_s: float = Field(default=1.0, ge=0, description="from being asked to acting")
    events: tuple[OperatorEvent, ...] = ()


Triple = tuple[float, float, float]
Six = tuple[float, float, float, float, float, float]


class SetUpErrorConfig(Frozen):
    """Where the patient really lies after set-up: drawn from sigmas by the seed, or given."""

    systematic_mm: Triple = (0.0, 0.0, 0.0)
    random_mm: Triple = (0.0, 0.0, 0.0)
    systematic_deg: Triple = (0.0, 0.0, 0.0)
    random_deg: Triple = (0.0, 0.0, 0.0)
    limit_sigma: float = Field(default=3.5, gt=0, description="no draw beyond")
    given: Six | None = Field(default=None, description="in place of a draw: X Y Z mm, turns about X Y Z deg, patient's axes")


class MotionConfig(Frozen):
    """What the patient does on the couch meanwhile."""

    kind: Literal["none", "drift", "breathing", "jump", "trace"] = "none"
    rate_mm_per_min: Triple = Field(default=(0.0, 0.0, 0.0), description="of a drift")
    wander_mm: Triple = Field(default=(0.0, 0.0, 0.0), description="of a drift: sigma after one minute")
    amplitude_mm: Triple = Field(default=(0.0, 0.0, 0.0), description="of breathing: from exhale to inhale")
    period_s: float = Field(default=4.0, gt=0, description="of breathing")
    after_s: float = Field(default=0.0, ge=0, description="of a jump: time from when the patient was left alone")
    by: Six = Field(default=(0.0, 0.0, 0.0, 0.0, 0.0, 0.0), description="of a jump: X Y Z mm, turns about X Y Z deg; it stays")
    file: str | None = Field(default=None, description="of a trace: time and 3 or 6 columns")

    @model_validator(mode="after")
    def fits(self) -> "MotionConfig":
        """A trace has a file and nothing else has; breathing and jumps go somewhere."""
        if (self.kind == "trace") != (self.file is not None):
            raise ValueError("a trace needs `file`, other kinds of motion have none")
        for kind, way, what in (("breathing", self.amplitude_mm, "amplitude_mm"), ("jump", self.by, "by")):
            if (self.kind == kind) != any(way):
                raise ValueError(f"{kind} needs `{what}`, other kinds of motion have none")
        return self


class TurnShiftConfig(Frozen):
    """What a turn of the couch does to the patient; it grows with the angle, up to 90 deg."""

    sigma_mm_at_90: float = Field(default=0.0, ge=0, description="of each axis")
    sigma_deg_at_90: float = Field(default=0.0, ge=0)


class PatientConfig(Frozen):
    """Who lies there. What is true of the patient is for the virtual room alone; the controller never reads it."""

    phantom: Literal["spine"] | None = Field(default=None, description="built in; or `ct` and `structures`")
    ct: str | None = Field(default=None, description="folder of a planning CT series")
    structures: str | None = Field(default=None, description="RT Structure Set that belongs to it")
    target: str | None = Field(default=None, description="name of the structure to be hit; none = the CTV, GTV or PTV")
    fiducials: bool = Field(default=False, description="gold markers in the target of a phantom")
    spacing_mm: float = Field(default=1.0, ge=0.5, le=4.0, description="voxels of a phantom's truth")
    set_up_error: SetUpErrorConfig = SetUpErrorConfig()
    motion: MotionConfig = MotionConfig()
    more_motion: tuple[MotionConfig, ...] = Field(default=(), description="on top of `motion`")
    turn_shift: TurnShiftConfig = TurnShiftConfig()

    @model_validator(mode="after")
    def one_of_both(self) -> "PatientConfig":
        """A phantom, or a CT with its structures."""
        if (self.phantom is None) == (self.ct is None) or (self.ct is None) != (self.structures is None):
            raise ValueError("give either `phantom`, or `ct` and `structures`")
        return self


class SessionConfig(Frozen):
    """Everything one run follows from, apart from the files that it names."""

    kind: Literal["session"]
    name: str = Field(min_length=1)
    description: str = ""
    machine: str = Field(description="name or path of a machine file")
    workflow: str = Field(description="name or path of a workflow file")
    plan: PlanChoice | None = Field(default=None, description="none = must be given with --plan")
    expect: ExpectConfig | None = Field(default=None, description="what the plan has to be; none = if made, as ordered")
    fraction_group: int | None = Field(default=None, ge=1, description="FractionGroupNumber; none = the only one")
    seed: int = Field(default=1, ge=0, lt=2**63)
    patient: PatientConfig | None = Field(default=None, description="needed by workflows that take images")
    protocol: str | None = Field(default=None, description="name or path of a protocol file; needed by workflows that take images")
    imaging: str = Field(default="standard", description="which of the protocol's scans")
    operators: OperatorsConfig = OperatorsConfig()
    links: dict[str, str] = Field(default_factory=dict, description="device -> where it is, like couch: pty:; none = in process")
    time_limit_s: float = Field(default=7200.0, gt=0, description="machine time after which the run is ended")


class StepConfig(BaseModel):
    """One step and its settings; the step itself checks what they are."""

    model_config = ConfigDict(frozen=True, extra="allow")
    __pydantic_extra__: dict[str, Setting]

    step: str = Field(min_length=1)


class WorkflowConfig(Frozen):
    """The steps of a session, in order."""

    kind: Literal["workflow"]
    name: str = Field(min_length=1)
    description: str = ""
    steps: tuple[StepConfig, ...] = Field(min_length=1)
