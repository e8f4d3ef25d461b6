"""What we may ask of a machine: the `controller:` section of configs/machines/*.yaml. The truth is in device_models.config."""

from pydantic import BaseModel, Field


class Frozen(BaseModel, frozen=True, extra="forbid"):
    """Unknown keys are errors; values do not change after loading."""


class AxisConfig(Frozen):
    """One kind of axis. Units: mm or deg, per s."""

    name: str = Field(description="column and display name, for example 'gantry', 'X1', 'couch vertical'")
    unit: str = Field(pattern="^(mm|deg)$")
    low: float = Field(description="lowest position that may be asked for, IEC 61217")
    high: float = Field(description="highest position that may be asked for, IEC 61217")
    speed: float = Field(gt=0, description="fastest motion between fields, unit per s")
    beam_speed: float = Field(gt=0, description="fastest motion that a trajectory may use, unit per s")
    accel: float = Field(gt=0, description="acceleration that a trajectory may use, unit per s2")
    catch_up: float = Field(gt=0, description="lag that a change of speed at a control point may cause, unit")
    tolerance: float = Field(gt=0, description="closer than this counts as there")
    settle_s: float = Field(default=0.1, ge=0.02)
    timeout_s: float = Field(default=90.0, gt=0)


class MlcConfig(Frozen):
    """Leaves: one AxisConfig stands for all of them, in bank A's sense (bank B is mirrored)."""

    model: str = Field(description="for example 'millennium_120'")
    log_model: int | None = Field(default=None, description="MLC model number of the trajectory log; none = no log of that kind")
    boundaries_mm: tuple[float, ...] = Field(description="leaf sides at the isocentre, -Y to +Y")
    leaf: AxisConfig
    span_mm: float = Field(gt=0, description="largest difference between leaves of one bank on one carriage")
    gap_mm: float = Field(ge=0, description="smallest distance between opposed leaves; below zero they are crossed")
    gap_tolerance_mm: float = Field(default=0.05, ge=0)

    @property
    def pairs(self) -> int:
        """Number of leaf pairs."""
        return len(self.boundaries_mm) - 1


class ModeConfig(Frozen):
    """A beam mode that a plan may ask for."""

    energy_mv: float = Field(gt=0, description="nominal energy of DICOM NominalBeamEnergy")
    fff: bool = False
    max_dose_rate_mu_per_min: float = Field(gt=0)
    mu_per_pulse: float = Field(gt=0, description="half of this is the resolution of a dose cut-off")


class BeamLimits(Frozen):
    """Dose control."""

    modes: dict[str, ModeConfig]
    timer_factor_static: float = Field(gt=1)
    timer_factor_dynamic: float = Field(gt=1)
    timer_floor_s: float = Field(gt=0)
    run_up_margin_s: float = Field(gt=0, description="steady motion asked for before beam-on of an arc")
    dose_servo_gain: float = Field(gt=0, le=1, description="share of the difference to the chamber corrected per cycle")
    slow_down_at: float = Field(gt=0, lt=1, description="share of the hold limit at which the dose rate starts to fall")
    beam_on_latency_s: float = Field(ge=0, description="expected time from permit to first pulse; an arc gives the permit earlier")
    warm_up_timeout_s: float = Field(gt=0)
    hold_settle_s: float = Field(gt=0, description="a hold ends after all is well for this long")


Triple = tuple[float, float, float]


class KvFlexConfig(Frozen):
    """Sag of the kV arms as measured at the last geometry check: along u, v, w each (constant, cos, sin) of the gantry angle."""

    source_mm: tuple[Triple, Triple, Triple]
    panel_mm: tuple[Triple, Triple, Triple]


class KvImagerConfig(Frozen):
    """What the controller knows of its kV imager."""

    imaging_mm: tuple[float, float, float, float] = Field(description="arms while imaging, as `kv_arms`")
    columns: int = Field(gt=0, description="of the panel, not binned")
    rows: int = Field(gt=0)
    pitch_mm: float = Field(gt=0)
    run_up_margin_deg: float = Field(ge=0, description="gantry turn at full speed before the first frame")
    flex: KvFlexConfig


class MvImagerConfig(Frozen):
    """What the controller knows of its MV imager; the source is the target of the beam."""

    imaging_mm: tuple[float, float, float] = Field(description="arm while imaging, as `mv_arm`")
    flex: KvFlexConfig


class MachineConfig(Frozen):
    """Everything the controller knows of a machine before it has looked."""

    gantry: tuple[AxisConfig, ...]
    collimator: tuple[AxisConfig, ...] = ()
    jaws: tuple[AxisConfig, ...] = ()
    mlc: MlcConfig | None = None
    carriages: tuple[AxisConfig, ...] = ()
    couch: tuple[AxisConfig, ...] = ()
    kv_arms: tuple[AxisConfig, ...] = ()
    mv_arm: tuple[AxisConfig, ...] = ()
    kv_imager: KvImagerConfig | None = Field(default=None, description="none = this machine takes no kV images")
    mv_imager: MvImagerConfig | None = Field(default=None, description="none = this machine takes no MV images")
    beam: BeamLimits
    parked_mm: dict[str, tuple[float, ...]] = Field(default_factory=dict, description="arm device: positions while treating")
    couch_turn_gantry_deg: float = Field(default=0.0, description="where the gantry stands while the couch turns")
    row_every_cycles: int = Field(default=2, ge=1, le=100)

    def sizes(self) -> dict[str, int]:
        """Axes per device, for `new_image`."""
        leaves = 2 * self.mlc.pairs if self.mlc else 0
        return {
            "gantry": len(self.gantry), "collimator": len(self.collimator), "jaws": len(self.jaws), "mlc": leaves,
            "carriages": len(self.carriages), "couch": len(self.couch), "kv_arms": len(self.kv_arms), "mv_arm": len(self.mv_arm),
        }
