"""result.json: how a run ended, for scripts. docs/reference/result.schema.json is made from these classes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from linac_ctl.errors import RecordError

from .fault import FaultResult
from .jsonio import replace_file
from .strict import Strict, described

SCHEMA_VERSION: Literal[1] = 1
NAME = "result.json"
Outcome = Literal["delivered", "partial", "refused", "terminated"]


@dataclass(frozen=True, slots=True)
class Deviation(Strict):
    """Setpoint minus readback while the permit was given."""

    worst: Annotated[float | None, described("largest absolute deviation; null = a reading was missing")]
    rms: Annotated[float | None, described("root mean square; null = a reading was missing")]
    unit: Annotated[Literal["mm", "deg"], described("unit of both")]


@dataclass(frozen=True, slots=True)
class Pause(Strict):
    """Time in which the beam of a field was held (it goes on by itself) or interrupted (an operator goes on)."""

    t_s: Annotated[float, described("begin, s of machine time since the start of the run")]
    duration_s: float
    mu: Annotated[float, described("MU of the field at which the dose stood still, chamber 1")]


@dataclass(frozen=True, slots=True)
class BeamResult(Strict):
    """One beam of the run. Delivered and true MU include `start_mu`."""

    number: Annotated[int, described("DICOM beam number")]
    name: str
    planned_mu: float
    delivered_mu: Annotated[float, described("chamber 1, as long as another count bears it out; else the higher of the others")]
    delivered_mu_2: Annotated[float, described("chamber 2")]
    true_mu: Annotated[
        float | None, described("dose that left the simulated machine; null = not known (real hardware)")
    ]
    start_mu: Annotated[float, described("MU from earlier partial deliveries of this fraction")]
    beam_on_s: Annotated[float, described("time with permit")]
    axes: Annotated[dict[str, Deviation], described("axis name -> deviation; 'mlc' is all leaves together")]
    holds: tuple[Pause, ...] = ()
    hold_count: int = 0
    interruptions: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class Reset(Strict):
    """Who cleared a latched interlock, and why."""

    cycle: int
    t_s: float
    who: str
    role: str
    reason: str


@dataclass(frozen=True, slots=True)
class InterlockTrip(Strict):
    """One trip of one row of the interlock table."""

    id: str
    # "class" in JSON: the kind of stop
    kind: Annotated[str, Field(alias="class", description="inhibit, hold, interrupt, terminate or estop")]
    cycle: int
    t_s: float
    value: Annotated[float | None, described("signal at the trip; null = not a number, or no news")]
    limit: float | None
    first_out: Annotated[bool, described("true = this row tripped first: the cause")]
    reset: Reset | None = None


@dataclass(frozen=True, slots=True)
class Override(Strict):
    """A tolerance or limit that a person set aside."""

    cycle: int
    t_s: float
    who: str
    role: str
    what: str
    reason: str
    old: Any = None
    new: Any = None


Six = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class ImageResult(Strict):
    """One acquisition."""

    kind: Annotated[str, described("cbct, pair, mv_kv, mv_pair or port")]
    uids: tuple[str, ...]
    frames: int
    t_s: Annotated[float, described("machine time of the last frame")]
    first_deg: Annotated[float, described("gantry angle of the first frame")]
    last_deg: float
    couch: Annotated[Six, described("readbacks: lateral, longitudinal, vertical mm; rotation, pitch, roll deg")]
    kv: float
    mas: Annotated[float, described("of all frames together")]


@dataclass(frozen=True, slots=True)
class MatchResult(Strict):
    """Where the controller found the patient in an acquisition."""

    image_uids: tuple[str, ...]
    error: Annotated[Six, described("X Y Z mm, turns about X Y Z deg; fixed frame, about the isocentre")]
    dof: int
    method: str
    similarity: float
    complaints: Annotated[tuple[str, ...], described("why it was refused; empty = it may be approved")]
    level: Annotated[str, described("action level of the protocol; empty = not judged")] = ""
    approved_by: Annotated[tuple[str, ...], described("who approved it, in the order of the protocol's roles")] = ()
    approved_s: Annotated[float | None, described("machine time of that; null = nobody did")] = None


@dataclass(frozen=True, slots=True)
class ShiftResult(Strict):
    """One couch shift. Lateral, longitudinal, vertical mm; rotation, pitch, roll deg."""

    t_s: float
    ordered: Annotated[Six, described("absolute couch targets")]
    achieved: Annotated[Six, described("readbacks when it stood still")]
    change: Annotated[Six, described("ordered less where the couch stood at the image")]


@dataclass(frozen=True, slots=True)
class TrackedResult(Strict):
    """One radiograph that was taken while treating, or one frame of fluoroscopy, and where the target was found in it."""

    t_s: Annotated[float, described("machine time of the exposure")]
    beam: Annotated[int, described("DICOM beam number; -1 = no beam in hand")]
    mu: Annotated[float, described("MU of that beam at the exposure, chamber 1")]
    gantry_deg: float
    trigger: Annotated[str, described("before (the beam), mu, angle, time, gate, held (repeated during a hold) or fluoroscopy")]
    off_mm: Annotated[
        tuple[float, float] | None,
        described("along the panel's u and v at the target's depth, seen less expected; null = not found"),
    ]
    seen: Annotated[str, described("inside, outside (of the protocol's limit) or not found")]
    similarity: float
    uid: Annotated[str, described("SOP instance UID; its file is kept for some of the images only")]


@dataclass(frozen=True, slots=True)
class ImagingDose(Strict):
    """kV dose by counting, to compare protocols with; it is no measurement and no dose distribution."""

    exposures: Annotated[int, described("kV frames of scans, pairs, triggered images and fluoroscopy")]
    mas: Annotated[float, described("of all of them together")]
    mgy: Annotated[
        float | None,
        described("mAs times the protocol's technique.mgy_per_mas: about the dose at the isocentre inside a trunk, mGy; "
                  "null = the protocol gives no such figure"),
    ]


@dataclass(frozen=True, slots=True)
class Timing(Strict):
    """How punctual a run in real time was, or in a multiple of it. Lateness: from when a cycle was due to when it began."""

    cycles: Annotated[int, described("cycles that waited for the clock")]
    rate_hz: Annotated[float, described("cycles per second of wall time, skipped ticks and all; 100 at speed 1")]
    late_p50_ms: Annotated[float, described("half of all cycles were later; to the next 0.01 ms")]
    late_p99_ms: Annotated[float, described("one in a hundred was later; to the next 0.01 ms, up to 20")]
    late_max_ms: float
    overruns: Annotated[int, described("cycles that could not begin when they were due, as the one before still worked")]
    skipped_ticks: Annotated[int, described("ticks of 10 ms (at speed 1) by which machine time fell behind")]
    overruns_in_a_row: Annotated[int, described("most of them; 3 hold the beam at speed 1")]
    timer: Annotated[str, described("what woke the process: timerfd or sleep")]
    scheduling: Annotated[str, described("scheduling class at the end: SCHED_OTHER, SCHED_FIFO, ...; unknown where there is none")]
    nice: int | None


@dataclass(frozen=True, slots=True)
class LinkResult(Strict):
    """One device that was reached over bytes."""

    device: str
    url: str
    mode: Annotated[Literal["lockstep", "free-running"], described("lockstep: the device's time passed cycle by cycle, when asked")]
    firmware: str
    serial: str
    session: Annotated[str, described("of the power-up that was met at connect")]
    up: Annotated[bool, described("until the end")]
    why: Annotated[str, described("what ended it; empty while up")]
    requests: int
    answers: int
    cycles_without_news: Annotated[int, described("cycles in which no new reading had come")]
    longest_silence_ms: int
    refused: Annotated[int, described("requests that the device refused")]
    invalid: Annotated[int, described("lines that were none: CRC, form")]
    repeated: Annotated[int, described("answers that nobody waited for")]
    old: Annotated[int, described("answers from the device's past")]
    unsent: Annotated[int, described("requests for which the line had no room")]
    restarts: int
    events: int
    latency_p50_ms: Annotated[float, described("from request to answer, wall time, to the next 0.1 ms")]
    latency_p99_ms: float
    latency_max_ms: float
    drift_ppm: Annotated[
        float | None, described("device's clock against ours, positive = it runs faster; null = lockstep, or too short")
    ]


@dataclass(frozen=True, slots=True)
class PropertyResult(Strict):
    """What the referee says of one property of its catalogue."""

    id: str
    outcome: Literal["held", "violated", "not_applicable"]
    margin: Annotated[float | None, described("how far from being violated, below zero when it was; null = no figure")]
    unit: Annotated[str, described("of the margin")]
    cycle: Annotated[int | None, described("where it came closest; null = nothing came near it")]
    text: str


@dataclass(frozen=True, slots=True)
class RefereeResult(Strict):
    """Plant truth and wires, judged by somebody who shares nothing with the controller."""

    judged: bool
    violated: Annotated[tuple[str, ...], described("ids of properties; empty in a run that is as it should be")]
    properties: tuple[PropertyResult, ...]
    in_line: Annotated[
        Literal["stop", "watch"], described("what it does while the run goes on: stop it at a violation, or note that and watch on")
    ] = "stop"


@dataclass(frozen=True, slots=True)
class Result(Strict):
    """How a run of linac-ctl ended. SIMULATOR, not a medical device."""

    outcome: Annotated[
        Outcome,
        described(
            "delivered: every beam complete; partial: some MU remain; refused: nothing was "
            "delivered; terminated: stopped for good by an interlock or a person"
        ),
    ]
    reason: Annotated[str, described("one line; empty when delivered")]
    digest: Annotated[str, described("16 hex digits over rows, events and final state: equal runs have equal digests")]
    seed: int
    simulated_s: Annotated[float, described("machine time")]
    cpu_s: float
    wall_s: float
    realtime_factor: Annotated[float | None, described("simulated_s / wall_s")]
    cycles: Annotated[int, described("scan cycles")]
    overruns: Annotated[int, described("cycles that came late in real time")]
    beams: tuple[BeamResult, ...] = ()
    interlocks: tuple[InterlockTrip, ...] = ()
    overrides: tuple[Override, ...] = ()
    residual_mm: Annotated[
        float | None,
        described("truth: distance of the target from its planned place at first beam-on; null = no imaging, or no beam"),
    ] = None
    residual_6dof: Annotated[
        Six | None, described("truth at first beam-on: the patient's error, X Y Z mm, turns deg, in the patient's axes")
    ] = None
    residuals: Annotated[
        dict[int, float], described("truth: DICOM beam number -> distance of the target from its planned place when it came on, mm")
    ] = field(default_factory=dict)
    images: tuple[ImageResult, ...] = ()
    matches: tuple[MatchResult, ...] = ()
    shifts: tuple[ShiftResult, ...] = ()
    tracked: tuple[TrackedResult, ...] = ()
    imaging_mu: Annotated[float, described("MU of MV images, by chamber 1; they are on no beam of the plan")] = 0.0
    imaging_dose: Annotated[ImagingDose | None, described("null = no imaging")] = None
    timing: Annotated[Timing | None, described("null = the run did not wait for the clock")] = None
    faults: Annotated[
        tuple[FaultResult, ...] | None, described("injected on purpose; null = the run was not armed for faults")
    ] = None
    links: Annotated[tuple[LinkResult, ...], described("devices reached over bytes; empty = all in process")] = ()
    referee: Annotated[RefereeResult | None, described("null = nobody has judged this run")] = None
    files: Annotated[dict[str, str], described("what -> path in the run folder")] = field(default_factory=dict)
    schema_version: Literal[1] = SCHEMA_VERSION


def adapter() -> TypeAdapter[Result]:
    """Checks and writes results."""
    return TypeAdapter(Result)


def schema() -> dict[str, Any]:
    """JSON Schema of result.json."""
    return adapter().json_schema(mode="serialization", by_alias=True)


def write_result(folder: Path, result: Result) -> Path:
    """Writes result.json in one step; RecordError when the disk says no."""
    replace_file(folder / NAME, adapter().dump_json(result, indent=1, by_alias=True) + b"\n")
    return folder / NAME


def read_result(folder: Path) -> Result:
    """RecordError says what does not fit the schema."""
    path = folder / NAME
    try:
        return adapter().validate_json(path.read_bytes())
    except OSError as e:
        raise RecordError(f"{path}: cannot be read: {e.strerror}") from None
    except ValidationError as e:
        first = e.errors()[0]
        raise RecordError(f"{path}: damaged: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
