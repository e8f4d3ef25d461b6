"""What a site has agreed on for one kind of treatment: how to image, which error asks for what, who approves. Data only."""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from ..config.machine import Frozen

if TYPE_CHECKING:
    from ..imaging.match import Match

Role = Literal["therapist", "physicist", "physician", "engineer"]
Triple = tuple[float, float, float]
FULL_TURN_DEG = 355.0


class Level(Enum):
    """What an error of the patient's position asks for."""

    NO_SHIFT = "no shift"
    SHIFT = "shift"
    SHIFT_VERIFY = "shift and verify"
    SET_UP = "set up again"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class Decision:
    """What the protocol makes of one match. Lengths in mm at the isocentre, turns: the largest of the three in deg."""

    level: Level
    shift_mm: float
    turn_deg: float
    text: str

    @property
    def moves(self) -> bool:
        """The couch is to move."""
        return self.level in (Level.SHIFT, Level.SHIFT_VERIFY)


class TechniqueConfig(Frozen):
    """Of one exposure."""

    kv: float = Field(gt=0)
    ma: float = Field(gt=0)
    ms: float = Field(gt=0)
    mgy_per_mas: float | None = Field(default=None, gt=0, description="dose at the isocentre inside a trunk; none = not known")

    @property
    def mas(self) -> float:
        """Charge."""
        return self.ma * self.ms * 1e-3


class ScanConfig(Frozen):
    """One way to take a CBCT: `standard` for people, `quick` (few small frames) for campaigns and tests, or any other name."""

    start_deg: float = Field(ge=-180, le=180, description="gantry angle of the first frame")
    stop_deg: float = Field(ge=-180, le=180, description="gantry angle of the last; nearer ends are turned to first")
    frames: int = Field(ge=40, le=1000)
    lateral_mm: float = Field(default=0.0, description="of the panel; 0 = full fan, aside for a half fan, which needs a full turn")
    binning: int = Field(ge=1, le=64, description="of the panel, both ways")
    reconstruction: Literal["full", "quick", "lite"] = Field(description="256 voxels of 1 mm, 128 of 2 mm, 64 of 4 mm a side")


    @model_validator(mode="after")
    def a_full_turn_for_a_half_fan(self) -> "ScanConfig":
        """With the panel aside every line is seen from one side only."""
        if self.lateral_mm and not abs(self.stop_deg - self.start_deg) >= FULL_TURN_DEG:
            raise ValueError(f"a half fan (lateral_mm) needs {FULL_TURN_DEG:g} deg at least, these are "
                             f"{abs(self.stop_deg - self.start_deg):g} deg")
        return self


class PairConfig(Frozen):
    """Two radiographs from different sides."""

    angles_deg: tuple[float, float] = Field(description="gantry angles, 30 deg apart at least")
    binning: int = Field(ge=1, le=64)

    @model_validator(mode="after")
    def apart(self) -> "PairConfig":
        """Depth needs a second view."""
        apart = abs((self.angles_deg[0] - self.angles_deg[1] + 90.0) % 180.0 - 90.0)
        if not apart >= 30.0:
            raise ValueError(f"the views are {apart:g} deg apart, 30 deg are the least")
        return self


class RegistrationConfig(Frozen):
    """How images are compared, and when a match counts."""

    dof: Literal[3, 4, 6] = 6
    markers: bool = Field(default=False, description="kV pairs by the patient's markers, not by bones; 3 or 6 degrees of freedom")
    clip_low_mm: Triple = Field(description="corner of the clip box, fixed frame, from the isocentre")
    clip_high_mm: Triple
    similarity: float = Field(ge=-1, le=1, description="lowest correlation that counts")
    inside: float = Field(ge=0, le=1, description="lowest share of the clip box that both images show")
    lead: float = Field(ge=0, le=1, description="ahead of the next best place")
    reach_mm: float = Field(gt=0, description="capture range")
    reach_deg: float = Field(gt=0)

    @model_validator(mode="after")
    def what_markers_fix(self) -> "RegistrationConfig":
        """Three or six degrees of freedom."""
        if self.markers and self.dof == 4:
            raise ValueError("markers fix 3 or 6 degrees of freedom, not 4")
        return self


class ImagePhysics(Frozen):
    """What the controller knows of its images; it differs from the truth a little."""

    water_per_mm: float = Field(gt=0, description="attenuation of water at this technique")
    bone_factor: float = Field(gt=0, description="what 1 HU above water adds, relative to the planning CT")
    scatter_ratio: float = Field(ge=0, description="scatter over primary behind the thickest part")
    scatter_width_mm: float = Field(gt=0, description="of its blur, at the panel")
    least_air_share: float = Field(gt=0, lt=1, description="brightest pixels of a frame against air, at least")


class MvConfig(Frozen):
    """Images by the treatment machine's own beam: a few MU each, through an open field, with all interlocks live."""

    mode: str = Field(min_length=1, description="beam mode, as the machine file names it")
    mu: float = Field(gt=0, le=10, description="of one image")
    limit_mu: float = Field(gt=0, description="of all images of a fraction together; beyond it none is taken")
    aperture_mm: tuple[float, float] = Field(description="open field at the isocentre, X and Y")
    binning: int = Field(ge=1, le=64)
    gantry_deg: float = Field(default=0.0, ge=-180, le=180, description="of an MV-kV pair; its kV view is 90 deg ahead")
    physics: ImagePhysics = Field(description="what the controller knows of MV images")


class PortConfig(Frozen):
    """Double exposures of treatment fields."""

    fields: int = Field(default=0, ge=0, description="static fields of the plan that are looked at, in its order; 0 = all")
    edge_mm: float = Field(gt=0, description="farther than this no edge may be from where the plan wants it")


class ActionLevels(Frozen):
    """Errors below the first pair of numbers ask for nothing; above the last, the patient is set up again."""

    no_shift_mm: float = Field(gt=0)
    no_shift_deg: float = Field(gt=0)
    verify_mm: float = Field(ge=0, description="a larger shift is verified by a second image; 0 = always")
    verify_deg: float = Field(ge=0)
    set_up_mm: float = Field(gt=0, description="a larger error: set up again in the room")
    set_up_deg: float = Field(gt=0)
    call_mm: float = Field(gt=0, description="a larger error: a physicist and a physician decide")
    call_deg: float = Field(gt=0)

    @model_validator(mode="after")
    def ascending(self) -> "ActionLevels":
        """Every level lies above the one before."""
        if not (self.no_shift_mm < self.set_up_mm < self.call_mm and self.no_shift_deg < self.set_up_deg < self.call_deg):
            raise ValueError("levels must ascend: no_shift < set_up < call, in mm and in deg")
        return self


class VerifyConfig(Frozen):
    """When a repeated image confirms the position."""

    residual_mm: float = Field(gt=0)
    residual_deg: float = Field(gt=0)
    most_shifts: int = Field(ge=0, le=5, description="shifts before the patient is set up again")


class AfterTurnConfig(VerifyConfig):
    """How the position is looked at again after the couch has turned for the next beam."""

    image: Literal["mv_pair", "pair", "cbct"] = Field(
        description="mv_pair: from gantry angles of the beams at this couch angle, where nothing can collide")
    dof: Literal[3, 4, 6] = Field(default=6, description="of the match of an MV pair")
    lead: float = Field(ge=0, le=1, description="of an MV pair, as in `registration`; bones stand out less")
    reach_mm: float = Field(gt=0, description="of an MV pair: a patient who was in place a minute ago is not farther off")


class ShiftConfig(Frozen):
    """What the couch may do with nobody in the room."""

    axes: Literal[3, 4, 6] = Field(default=6, description="translations; and rotation; and pitch and roll")
    tilt_deg: float = Field(gt=0, description="pitch and roll, both sides")
    remote_mm: float = Field(gt=0)
    remote_deg: float = Field(gt=0)
    stale_mm: float = Field(gt=0, le=1.0, description="couch motion that ends an approval; the interlock's own limit is 1.0 mm")
    stale_deg: float = Field(gt=0, le=0.5)
    moved_mm: float = Field(default=0.4, gt=0, lt=0.5, description="couch motion from the images to their approval, there and back "
                            "counts: image again; SI-23 has 0.5 mm")
    moved_deg: float = Field(default=0.2, gt=0, le=0.5)


class ApprovalConfig(Frozen):
    """Who says yes, and for how long it holds."""

    roles: tuple[Role, ...] = Field(min_length=1, description="one different person for each, in this order")
    age_s: float = Field(gt=0, le=900, description="of the images; the interlock's own limit is 900 s")


class TriggeredConfig(Frozen):
    """kV images while the beam is on, and what is done with what they show."""

    first: bool = Field(default=True, description="and one or two before each beam-on, from where the gantry stands before it goes "
                        "to the field and from where that begins: an error that all images of a match share does not show in them")
    every_mu: float | None = Field(default=None, gt=0, description="one of the four: after so many MU of a beam")
    every_deg: float | None = Field(default=None, gt=0, description="of the gantry in an arc")
    every_s: float | None = Field(default=None, gt=0)
    every_gates: int | None = Field(default=None, ge=1, description="each time, or each n-th time, that the gate opens")
    binning: int = Field(ge=1, le=64)
    takes_s: float = Field(ge=0, description="from the exposure to the place that was found")
    similarity: float = Field(ge=-1, le=1, description="lowest correlation that counts; below it the target is not found")
    patience_s: float = Field(ge=0, description="out of the limit for this long holds the beam")
    longest_s: float = Field(gt=0, description="without an image for this long holds the beam")
    repeat_s: float = Field(gt=0, description="between images while the target is out of its limit")
    most_repeats: int = Field(ge=1, description="then the beam is given up as it is")
    then: Literal["reposition", "stop"] = Field(description="and: image, match, approve and shift again; or end the field")

    @model_validator(mode="after")
    def one_trigger(self) -> "TriggeredConfig":
        """Exactly one of the four."""
        asked = [self.every_mu, self.every_deg, self.every_s, self.every_gates]
        if sum(value is not None for value in asked) != 1:
            raise ValueError("give one of every_mu, every_deg, every_s and every_gates")
        return self


class SurfaceConfig(Frozen):
    """What the surface monitor may show, as an independent witness."""

    limit_mm: float = Field(gt=0, description="of the skin from where it was when the position was approved")
    patience_s: float = Field(ge=0, description="over the limit for this long holds the beam")
    excursion_mm: float = Field(gt=0, description="ends the approval at once")
    gate_mm: float | None = Field(default=None, gt=0, description="chest above exhale at which the beam is held; none = no gate")

    @model_validator(mode="after")
    def ascending(self) -> "SurfaceConfig":
        """An excursion is more than what a hold waits for."""
        if not self.limit_mm < self.excursion_mm:
            raise ValueError("excursion_mm must be above limit_mm")
        return self


class FluoroscopyConfig(Frozen):
    """A look at how the target moves, before treatment."""

    gantry_deg: float = Field(ge=-180, le=180)
    seconds: float = Field(gt=0, le=60)
    every_s: float = Field(ge=0.05)
    binning: int = Field(ge=1, le=64)
    most_mm: float = Field(gt=0, description="way of the target in either direction; more is not treated by this protocol")


class IntrafractionConfig(Frozen):
    """How far the target may be off during treatment, and who looks."""

    limit_mm: float = Field(gt=0)
    limit_deg: float = Field(gt=0)
    triggered: TriggeredConfig | None = Field(default=None, description="none = no kV images during the beam")
    surface: SurfaceConfig | None = Field(default=None, description="none = the surface monitor is not used")

    @model_validator(mode="after")
    def a_gate_to_wait_for(self) -> "IntrafractionConfig":
        """Images at the gate need one."""
        gate = self.surface and self.surface.gate_mm
        if self.triggered and self.triggered.every_gates and not gate:
            raise ValueError("triggered.every_gates needs surface.gate_mm")
        return self


class ProtocolConfig(Frozen):
    """configs/protocols/*.yaml."""

    kind: Literal["protocol"]
    name: str = Field(min_length=1)
    description: str = ""
    technique: TechniqueConfig
    scans: dict[str, ScanConfig] = Field(min_length=1)
    pair: PairConfig | None = Field(default=None, description="none = no kV pairs by this protocol")
    mv: MvConfig | None = Field(default=None, description="none = no MV images by this protocol")
    port: PortConfig | None = Field(default=None, description="none = no port images by this protocol; they need `mv`")
    physics: ImagePhysics
    registration: RegistrationConfig
    levels: ActionLevels
    verify: VerifyConfig
    after_turn: AfterTurnConfig | None = Field(default=None, description="none = no beam at another couch angle than the images'")
    shift: ShiftConfig
    approval: ApprovalConfig
    intrafraction: IntrafractionConfig
    fluoroscopy: FluoroscopyConfig | None = Field(default=None, description="none = no fluoroscopy by this protocol")

    @model_validator(mode="after")
    def how_it_images(self) -> "ProtocolConfig":
        """What takes images says how."""
        turn = self.after_turn.image if self.after_turn else ""
        for asks, image, there in (("port", self.port, self.mv), ("after_turn.image: mv_pair", turn == "mv_pair", self.mv),
                                   ("after_turn.image: pair", turn == "pair", self.pair)):
            if image and there is None:
                raise ValueError(f"{asks} needs `{'pair' if asks.endswith(': pair') else 'mv'}`")
        return self


def size_of(match: "Match") -> tuple[float, float]:
    """(mm, deg): length of the translation at the isocentre, and the largest of the three turns."""
    return match.pose.shift_mm, max(abs(v) for v in match.error[3:])


def decide(match: "Match", protocol: ProtocolConfig) -> Decision:
    """The action level of a match; it says nothing about whether the match is good."""
    levels, (mm, deg) = protocol.levels, size_of(match)
    found = Level.CALL  # also for what is not a number
    for level, most_mm, most_deg in (
        (Level.SET_UP, levels.call_mm, levels.call_deg), (Level.SHIFT_VERIFY, levels.set_up_mm, levels.set_up_deg),
        (Level.SHIFT, levels.verify_mm, levels.verify_deg), (Level.NO_SHIFT, levels.no_shift_mm, levels.no_shift_deg),
    ):
        if mm <= most_mm and deg <= most_deg:
            found = level
    return Decision(found, round(mm, 3), round(deg, 3), f"{mm:.2f} mm, {deg:.2f} deg: {found.value}")


def confirmed(match: "Match", protocol: ProtocolConfig) -> bool:
    """Is what a repeated image finds below the verify limit?"""
    return within(match, protocol.verify)


def within(match: "Match", limits: VerifyConfig) -> bool:
    """Is a match below limits of this kind?"""
    mm, deg = size_of(match)
    return mm <= limits.residual_mm and deg <= limits.residual_deg
