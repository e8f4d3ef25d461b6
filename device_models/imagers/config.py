"""What is physically true of the imagers: c_arm.yaml beside this file, or another of its kind."""

from itertools import pairwise
from pathlib import Path

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from device_models.patient.surface import SurfaceConfig

BUILT_IN = Path(__file__).with_name("c_arm.yaml")
Three = tuple[float, float, float]


class Frozen(BaseModel, frozen=True, extra="forbid"):
    """Unknown keys are errors; values do not change after loading."""


class PanelConfig(Frozen):
    """A flat panel. Counts are those of its converter."""

    columns: int = Field(gt=0)
    rows: int = Field(gt=0)
    pitch_mm: float = Field(gt=0)
    bits: int = Field(ge=8, le=16)
    counts_per_quantum_mm2: dict[str, float] = Field(min_length=1, description="per range; range name: counts per quantum/mm2")
    dark_counts: float = Field(ge=0)
    dark_spread: float = Field(ge=0)
    gain_spread: float = Field(ge=0, lt=0.2)
    electronic_noise: float = Field(ge=0)
    bad_pixels: int = Field(ge=0)
    lag_share: float = Field(ge=0, lt=0.5)
    lag_decay_s: float = Field(gt=0)
    scatter_fraction: float = Field(ge=0)
    scatter_sigma_mm: float = Field(gt=0)


class TubeConfig(Frozen):
    """Generator and anode of the kV tube."""

    kv_range: tuple[float, float]
    ma_range: tuple[float, float]
    ms_range: tuple[float, float]
    power_kw: float = Field(gt=0)
    anode_kj: float = Field(gt=0)
    cooling_s: float = Field(gt=0)
    output_jitter: float = Field(ge=0)
    spectra: tuple[tuple[float, float, float, float], ...] = Field(
        min_length=2, description="kV, water 1/mm, bone factor, quanta per mAs and mm2 at 1 m; ascending kV",
    )

    @model_validator(mode="after")
    def _ascending(self) -> "TubeConfig":
        if any(not a[0] < b[0] for a, b in pairwise(self.spectra)):
            raise ValueError("spectra: kV must ascend")
        return self


class FlexConfig(Frozen):
    """Sag along u, v, w of the turned axes: (constant, cos, sin) of the gantry angle each."""

    source_mm: tuple[Three, Three, Three]
    panel_mm: tuple[Three, Three, Three]
    roll_deg: Three = (0.0, 0.0, 0.0)


STIFF = FlexConfig(source_mm=((0.0, 0.0, 0.0),) * 3, panel_mm=((0.0, 0.0, 0.0),) * 3)


class KvConfig(Frozen):
    """The kV imager."""

    ahead_deg: float
    panel: PanelConfig
    tube: TubeConfig
    flex: FlexConfig


class MvConfig(Frozen):
    """The portal imager."""

    sad_mm: float = Field(gt=0)
    panel: PanelConfig
    quanta_per_mu_mm2: float = Field(gt=0)
    output_jitter: float = Field(ge=0)
    penumbra_mm: float = Field(gt=0)
    transmission: float = Field(ge=0, lt=1)
    spectra: dict[str, tuple[float, float]] = Field(description="beam mode: water 1/mm, bone factor")
    flex: FlexConfig


class ImagersConfig(Frozen):
    """All that looks at the patient."""

    kv: KvConfig
    mv: MvConfig
    surface: SurfaceConfig


def load_imagers(path: str | Path = BUILT_IN) -> ImagersConfig:
    """Reads a file; ValueError lists every wrong value."""
    try:
        return ImagersConfig.model_validate(yaml.safe_load(Path(path).read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as exc:
        raise ValueError(f"imagers {path}: cannot be read: {exc}") from exc
    except ValidationError as exc:
        lines = [f"{path}: {'.'.join(str(part) for part in error['loc'])}: {error['msg']}" for error in exc.errors()]
        raise ValueError("\n".join(lines)) from exc
