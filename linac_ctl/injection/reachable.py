"""Moments that cannot come in a session are refused before it begins: a fault that waits for ever proves nothing."""

from typing import TYPE_CHECKING

from device_models.faults.errors import FaultError, nearest
from device_models.faults.fault import When
from device_models.interface.image import Node

if TYPE_CHECKING:
    from ..order import Order
    from ..plan.model import Beam

OF_IMAGES = ("imaging", "registration", "approve", "shift")


def require_reachable(when: When, order: "Order") -> None:
    """FaultError with what this session has instead."""
    beams = order.plan.fraction(order.group)
    if when.beam is not None and when.beam not in [beam.number for beam in beams]:
        raise FaultError(f"when.beam: {when.beam}; this fraction has {', '.join(str(beam.number) for beam in beams)}")
    reach_dose(when, [beam for beam in beams if when.beam in (None, beam.number)])
    if when.phase in OF_IMAGES and order.imaging is None:
        raise FaultError(f"when.phase: {when.phase} never comes; this session takes no images, take one with a patient, like "
                         "spine_igrt_quick")
    if when.at_s is not None and when.at_s + when.after_s > order.longest_s:
        raise FaultError(f"when.at_s: {when.at_s:g} s; the session ends after {order.longest_s:g} s at the latest (time_limit_s)")
    devices = [node.name.lower() for node in Node]
    if when.link is not None and when.link not in devices:
        raise FaultError(f"when.link: no device {when.link!r}{nearest(when.link, devices)}; there are {', '.join(devices)}")


def reach_dose(when: When, beams: "list[Beam]") -> None:
    """MU and control points of the fields that are meant."""
    most_mu, most_points = max(beam.mu for beam in beams), max(len(beam.cumulative_mu) for beam in beams)
    if when.mu is not None and when.mu > most_mu:
        raise FaultError(f"when.mu: {when.mu:g} MU never come; the largest field that is meant has {most_mu:g} MU")
    if when.control_point is not None and when.control_point >= most_points:
        raise FaultError(f"when.control_point: {when.control_point} never comes; the longest field that is meant has 0 to "
                         f"{most_points - 1}")
