"""What is physically true of a machine: the `plant:` section of configs/machines/*.yaml.

`linac_ctl.config.machine` holds what may be asked for. The two may differ on purpose.
"""

from pydantic import BaseModel, Field, field_validator


class Frozen(BaseModel, frozen=True, extra="forbid"):
    """Unknown keys are errors; values do not change after loading."""


class DriveConfig(Frozen):
    """One axis: servo, gearbox and two encoders. Unit of the axis: mm or deg."""

    v_max: float = Field(gt=0, description="top speed, unit per s")
    a_max: float = Field(gt=0, description="acceleration the servo may use, unit per s2")
    jerk: float = Field(gt=0, description="rate of change of acceleration, unit per s3")
    brake: float = Field(gt=0, description="deceleration with brakes on and power off, unit per s2")
    backlash: float = Field(ge=0, description="half the play between motor and load")
    noise: float = Field(ge=0, description="encoder noise, one sigma")
    lsb: float = Field(gt=0, description="encoder step")
    noise_2: float = Field(ge=0, description="second encoder's noise, one sigma")
    lsb_2: float = Field(gt=0, description="second encoder's step")
    low: float = Field(description="mechanical end stop")
    high: float = Field(description="mechanical end stop")
    start: float = Field(default=0.0, description="where the axis stands at power-up")
    lag_s: float = Field(default=0.0, ge=0, description="how far the axis trails a steadily moving setpoint, in time")

    @field_validator("lsb", "lsb_2")
    @classmethod
    def on_the_wire(cls, step: float) -> float:
        """A wire carries whole um and millidegrees, so an encoder is no finer, and its steps fall on them."""
        whole = max(1, round(step * 1000))
        if abs(step * 1000 - whole) > 1e-9 or 1000 % whole:
            raise ValueError(f"an encoder step is 0.001 mm or deg, or a multiple that divides 1, as on a wire; {step:g} is not")
        return step


class ModeConfig(Frozen):
    """What a beam mode really is: pulse size and the places of target and filter."""

    mu_per_pulse: float = Field(gt=0)
    pulses_per_s: float = Field(gt=0, description="modulator rate at full dose rate")
    carousel_deg: float = Field(description="place of the filter on the carousel")
    magnet_a: float = Field(gt=0, description="bending magnet current")
    gun_hv_kv: float
    pfn_kv: float = Field(gt=0)


class SourceConfig(Frozen):
    """Accelerator, chambers and live parameters."""

    warm_up_s: float = Field(ge=0, description="gun and RF from cold to first pulse")
    beam_on_latency_s: float = Field(ge=0, description="from permit to first pulse when warm")
    carousel_deg_per_s: float = Field(gt=0)
    carousel_window_deg: float = Field(gt=0, description="the place switch of a mode closes this close to its place")
    pulse_noise: float = Field(ge=0, description="dose of one pulse, relative sigma")
    pulse_limit: float = Field(gt=1, description="the modulator stops at the first pulse that chamber 1 reads this much too large")
    chamber_1_gain: float = Field(gt=0)
    chamber_2_gain: float = Field(gt=0)
    chamber_3_gain: float = Field(gt=0, description="the safety channel's own chamber")
    chamber_2_spread: float = Field(default=0.0, ge=0, description="relative sigma of its gain from field to field")
    chamber_noise: float = Field(ge=0, description="relative sigma of one cycle's reading")
    chamber_lsb_mu: float = Field(gt=0)
    chamber_hv_v: float = Field(gt=0)
    asymmetry_at_start: float = Field(ge=0, description="symmetry error just after beam-on, relative")
    asymmetry_decay_s: float = Field(gt=0)
    quadrant_noise: float = Field(ge=0, description="relative sigma of one quadrant in one cycle")
    live: dict[str, tuple[float, float]] = Field(
        description="live parameter: (mean, sigma); gun_hv_kv, pfn_kv and magnet_a are factors on the mode's figure",
    )


class SafetyConfig(Frozen):
    """The second channel's own limits."""

    backup_margin_mu: float = Field(gt=0)
    backup_margin_ratio: float = Field(ge=0)
    heartbeat_limit_s: float = Field(gt=0)
    selftest_step_s: float = Field(gt=0)
    longest_limit_s: float = Field(gt=0, description="a time limit above this is refused")
    largest_preset_mu: float = Field(gt=0, description="a preset above this is refused")


class BodyConfig(Frozen):
    """Shapes for the collision model, mm from the isocentre, in their own moving frame."""

    head_near_mm: float = Field(gt=0, description="isocentre to the face of the head")
    head_radius_mm: float = Field(gt=0)
    kv_source_half_width_mm: float = Field(gt=0)
    kv_source_housing_mm: float = Field(ge=0, description="from focal spot to the near side of the housing")
    kv_detector_half_width_mm: float = Field(gt=0)
    mv_detector_half_width_mm: float = Field(gt=0)
    couch_half_width_mm: float = Field(gt=0)
    couch_thickness_mm: float = Field(gt=0)
    couch_length_mm: float = Field(gt=0)
    patient_half_width_mm: float = Field(gt=0)
    patient_height_mm: float = Field(gt=0)
    patient_length_mm: float = Field(gt=0)
    every_cycles: int = Field(default=10, ge=1, le=100, description="clearance is computed every so many cycles")


class PlantConfig(Frozen):
    """The truth of one machine. Lists give one entry per axis, in the order of `device_models.interface.image`."""

    gantry: tuple[DriveConfig, ...]
    collimator: tuple[DriveConfig, ...] = ()
    jaws: tuple[DriveConfig, ...] = ()
    leaf: DriveConfig | None = Field(default=None, description="every leaf; bank B mirrors low, high and start")
    leaf_pairs: int = Field(default=0, ge=0)
    carriages: tuple[DriveConfig, ...] = ()
    couch: tuple[DriveConfig, ...] = ()
    kv_arms: tuple[DriveConfig, ...] = ()
    mv_arm: tuple[DriveConfig, ...] = ()
    modes: dict[str, ModeConfig] = Field(description="in the same order as the controller's table of modes")
    source: SourceConfig
    safety: SafetyConfig
    bodies: BodyConfig
    initialise_s: float = Field(default=0.0, ge=0, description="reference run after power-up until `calibrated`")
    search_window_s: float = Field(gt=0, description="from the search button to the closed door, at most")
