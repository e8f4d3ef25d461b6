"""What a made plan aims at and what it spares: shapes in DICOM patient coordinates, read from YAML or built in."""

import math
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator

from linac_ctl.errors import ConfigError
from linac_ctl.plan.model import Floats

BUILT_IN = Path(__file__).with_name("targets")
SPACING_MM = 2.0  # between points on a surface; below the thinnest leaf

Point2 = tuple[float, float]
Point3 = tuple[float, float, float]


class Ellipsoid(BaseModel, frozen=True, extra="forbid"):
    """Half axes along the patient's axes."""

    kind: Literal["ellipsoid"]
    centre_mm: Point3
    radii_mm: Point3

    @field_validator("radii_mm")
    @classmethod
    def _above_zero(cls, radii: Point3) -> Point3:
        if not min(radii) > 0.0:
            raise ValueError("every half axis must be above 0 mm")
        return radii

    def surface(self) -> Floats:
        """(m, 3) points on the surface, mm."""
        rings = max(8, math.ceil(math.pi * max(self.radii_mm) / SPACING_MM))
        unit = [
            (math.sin(t) * math.cos(p), math.sin(t) * math.sin(p), math.cos(t))
            for t in (math.pi * i / rings for i in range(rings + 1))
            for p in (2.0 * math.pi * j / (2 * rings) for j in range(2 * rings))
        ]
        points: Floats = np.array(unit) * np.array(self.radii_mm) + np.array(self.centre_mm)
        return points


class Extruded(BaseModel, frozen=True, extra="forbid"):
    """An outline in a transverse plane, drawn out along the patient."""

    kind: Literal["extruded"]
    contour_mm: tuple[Point2, ...] = Field(min_length=3)
    z_mm: Point2

    def surface(self) -> Floats:
        """(m, 3) points on the mantle, mm."""
        outline = np.vstack(
            [_between(np.array(a), np.array(b)) for a, b in zip(self.contour_mm, self._shifted(), strict=True)]
        )
        low, high = sorted(self.z_mm)
        levels = np.linspace(low, high, max(2, math.ceil((high - low) / SPACING_MM) + 1))
        return np.hstack([np.tile(outline, (len(levels), 1)), np.repeat(levels, len(outline))[:, None]])

    def _shifted(self) -> tuple[Point2, ...]:
        return (*self.contour_mm[1:], self.contour_mm[0])


Shape = Annotated[Ellipsoid | Extruded, Field(discriminator="kind")]


class Target(BaseModel, frozen=True, extra="forbid"):
    """A target, what to spare, and the isocentre."""

    name: str = Field(min_length=1)
    isocentre_mm: Point3
    target: tuple[Shape, ...] = Field(min_length=1)
    spare: tuple[Shape, ...] = ()

    def target_points(self) -> Floats:
        """(m, 3) mm from the isocentre, DICOM patient axes."""
        points: Floats = np.vstack([shape.surface() for shape in self.target]) - np.array(self.isocentre_mm)
        return points

    def spare_points(self) -> Floats:
        """(k, 3) mm from the isocentre; empty if there is nothing to spare."""
        surfaces = [shape.surface() for shape in self.spare]
        return np.vstack(surfaces) - np.array(self.isocentre_mm) if surfaces else np.empty((0, 3))


def load_target(name: str | Path) -> Target:
    """A built-in target by name, or a YAML file; ConfigError says what is wrong with it."""
    path = BUILT_IN / f"{name}.yaml" if (BUILT_IN / f"{name}.yaml").exists() else Path(name)
    try:
        return Target.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as exc:
        there = ", ".join(sorted(file.stem for file in BUILT_IN.glob("*.yaml")))
        raise ConfigError(f"{path}: no such target ({exc.strerror}); built in are {there}") from exc
    except yaml.YAMLError as exc:
        raise ConfigError(f"{path}: not YAML: {str(exc).splitlines()[0]}") from exc
    except ValidationError as exc:
        lines = [f"{path}: {'.'.join(str(part) for part in error['loc'])}: {error['msg']}" for error in exc.errors()]
        raise ConfigError("\n".join(lines)) from exc


def _between(a: Floats, b: Floats) -> Floats:
    steps = max(1, math.ceil(math.dist(a, b) / SPACING_MM))
    return np.array([a + (b - a) * (i / steps) for i in range(steps)])
