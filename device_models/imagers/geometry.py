"""Where source and panel really are (arms, sag), and where the controller would say they are (arms alone)."""

import numpy as np

from device_models.interface.volume import Floats

from .config import FlexConfig, Three
from .frame import Instant
from .views import View, view_of

Place = tuple[Floats, Floats]  # source, panel centre: (3,) mm each along u, v, w of the source angle


def kv_nominal(instant: Instant) -> Place:
    """From the arms: source and panel ride on one slide along the couch."""
    source, detector, lateral, longitudinal = instant.kv_arms_mm
    return np.array([0.0, longitudinal, source]), np.array([lateral, longitudinal, detector])


def mv_nominal(instant: Instant, sad_mm: float) -> Place:
    """From the arm; the source is the target of the beam."""
    vertical, lateral, longitudinal = instant.mv_arm_mm
    return np.array([0.0, 0.0, sad_mm]), np.array([lateral, longitudinal, vertical])


def sag(flex: FlexConfig, gantry_deg: float) -> tuple[Floats, Floats, float]:
    """Source and panel off by (3,) mm along u, v, w, and the panel's roll in deg."""
    parts = np.array([1.0, np.cos(np.radians(gantry_deg)), np.sin(np.radians(gantry_deg))])
    return np.array(flex.source_mm) @ parts, np.array(flex.panel_mm) @ parts, _dot(flex.roll_deg, parts)


def true_view(place: Place, flex: FlexConfig, instant: Instant, ahead_deg: float, shape: tuple[int, int, float]) -> View:
    """The rays that really are."""
    source_off, panel_off, roll = sag(flex, instant.gantry_deg)
    return view_of(instant.gantry_deg + ahead_deg, place[0] + source_off, place[1] + panel_off, roll, shape)


def three(place_mm: Floats) -> tuple[float, float, float]:
    """Plain numbers."""
    u, v, w = (float(part) for part in place_mm)
    return u, v, w


def to_panel_mm(place: Place) -> float:
    """Source to panel along w."""
    return float(place[0][2] - place[1][2])


def _dot(a: Three, b: Floats) -> float:
    return float(np.array(a) @ b)
