"""How each kind of images is compared with the plan: which matcher, made of what, and kept for the next time."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import RefusedError
from ..subsystems.kv_frames import KvFrame
from .frame_numbers import attenuation, frames_of, integrals, sags, scatter_of
from .protocol import ImagePhysics

if TYPE_CHECKING:
    from device_models.interface.volume import Volume

    from ..imaging.fit import Fit
    from ..imaging.geometry import Frames
    from ..imaging.register_pair import PairMatcher
    from ..imaging.register_port import PortMatcher
    from ..imaging.register_single import Found, SingleMatcher
    from ..imaging.register_volume import PointMatcher
    from .images import ImageSet, Imaging


def fit(desk: "Imaging", images: "ImageSet") -> "Fit":
    """By the kind of images, and by what the protocol wants compared."""
    pairs = fit_markers if desk.protocol.registration.markers and images.kind == "pair" else fit_pair
    return {"cbct": fit_cbct, "port": fit_port}.get(images.kind, pairs)(desk, images)


def fit_cbct(desk: "Imaging", images: "ImageSet") -> "Fit":
    """Reconstructed, then volume against volume."""
    from ..imaging.couch_shift import planned_pose
    from ..imaging.fdk import MODES, reconstruct

    geometry = frames_of(images.frames, desk.kv.config.flex)
    volume = reconstruct(integrals(images.frames), geometry, MODES[desk.scan.reconstruction])
    matcher: PointMatcher = kept(desk, desk.scan_name, partial(new_matcher, desk))
    return matcher(volume, planned_pose(images.couch_angle_deg))


def fit_pair(desk: "Imaging", images: "ImageSet") -> "Fit":
    """Radiographs of the plan against those of the patient."""
    from ..imaging.couch_shift import planned_pose

    turn = desk.protocol.after_turn
    dof = turn.dof if turn is not None and images.kind == "mv_pair" else desk.protocol.registration.dof
    matcher: PairMatcher = kept(desk, f"pair {dof}", lambda: new_pair_matcher(desk, dof))
    return matcher([desk.radiograph(frame) for frame in images.frames], planned_pose(images.couch_angle_deg))


def fit_markers(desk: "Imaging", images: "ImageSet") -> "Fit":
    """Markers found in both radiographs against their planned places."""
    from ..imaging.couch_shift import planned_pose
    from ..imaging.markers import match_markers

    if not desk.planning.markers_mm:
        raise RefusedError(f"match: protocol {desk.protocol.name} matches markers, and the planning CT has none; use one that "
                           "matches bones")
    shots = [desk.radiograph(frame) for frame in images.frames]
    return match_markers(np.array(desk.planning.markers_mm), shots, desk.protocol.registration.dof,
                         planned_pose(images.couch_angle_deg))


def fit_port(desk: "Imaging", images: "ImageSet") -> "Fit":
    """The open field of each double exposure, two directions per view."""
    from ..imaging.couch_shift import planned_pose

    matcher: PortMatcher = kept(desk, "port", partial(new_port_matcher, desk))
    shots = [desk.radiograph(frame) for frame in images.frames[1::2]]
    return matcher(shots, planned_pose(images.couch_angle_deg), np.array(desk.planning.target_mm))


def locate(desk: "Imaging", frame: KvFrame, couch_angle_deg: float, least: float) -> "Found":
    """Where the target is in one radiograph, against where it ought to be; below `least` similarity it is not found."""
    from ..imaging.couch_shift import planned_pose

    matcher: SingleMatcher = kept(desk, "single", partial(new_single_matcher, desk))
    return matcher(desk.radiograph(frame), planned_pose(couch_angle_deg), np.array(desk.planning.target_mm), least)


def kept(desk: "Imaging", what: str, new: Callable[[], Any]) -> Any:
    """Made at the first match of its kind, then kept."""
    key = f"{desk.protocol.model_dump_json()}/{what}/{desk.kv.config.model_dump_json()}"
    if key not in desk.planning.matchers:
        desk.planning.matchers[key] = new()
    return desk.planning.matchers[key]


def new_pair_matcher(desk: "Imaging", dof: int) -> "PairMatcher":
    """The CT by this tube, as radiographs."""
    from ..imaging.register_pair import PairMatcher

    kv, rules = desk.protocol.physics, desk.protocol.mv
    mv = None if rules is None else (seen_by(desk, rules.physics), scatter_of(rules.physics))
    return PairMatcher(seen_by(desk, kv), dof, scatter_of(kv), mv=mv)


def seen_by(desk: "Imaging", physics: ImagePhysics) -> "Volume":
    """The planning CT in 1/mm, as this beam or tube would find it."""
    return attenuation(desk.planning.hu, physics.water_per_mm, physics.bone_factor)


def new_port_matcher(desk: "Imaging") -> "PortMatcher":
    """The CT by the treatment beam."""
    from ..imaging.register_port import PortMatcher

    return PortMatcher(seen_by(desk, desk.mv_rules.physics), scatter_of(desk.mv_rules.physics))


def new_single_matcher(desk: "Imaging") -> "SingleMatcher":
    """The CT by this tube, for one view at a time."""
    from ..imaging.register_single import SingleMatcher

    return SingleMatcher(seen_by(desk, desk.protocol.physics), scatter_of(desk.protocol.physics))


def new_matcher(desk: "Imaging") -> "PointMatcher":
    """The CT as this very scan would show it."""
    from ..imaging.clip import ClipBox
    from ..imaging.fdk import MODES
    from ..imaging.reference import matched_reference
    from ..imaging.register_volume import PointMatcher

    asked, physics = desk.protocol.registration, desk.protocol.physics
    how, scatter = MODES[desk.scan.reconstruction], scatter_of(physics)
    reference = matched_reference(seen_by(desk, physics), nominal(desk), how, scatter)
    return PointMatcher(reference, ClipBox(asked.clip_low_mm, asked.clip_high_mm), asked.dof)


def nominal(desk: "Imaging") -> "Frames":
    """Geometry of the scan as the protocol asks for it, arms sagging as measured."""
    from ..imaging.geometry import Frames, Panel, kv_angle_deg

    scan, kv = desk.scan, desk.kv.config
    gantry = np.linspace(scan.start_deg, scan.stop_deg, scan.frames)
    panel = Panel(kv.columns, kv.rows, kv.pitch_mm, kv.pitch_mm).binned(scan.binning)
    source, detector, lateral, longitudinal = kv.imaging_mm
    lateral = scan.lateral_mm or lateral
    n = (scan.frames, 1)
    places = np.tile([0.0, longitudinal, source], n), np.tile([lateral, longitudinal, detector], n)
    sag = sags(kv.flex, gantry)
    return Frames(panel, kv_angle_deg(gantry), places[0] + sag[0], places[1] + sag[1])
