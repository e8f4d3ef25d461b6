"""What a session with images has beside the machine: patient, imagers, who looks all the time. Others never load these modules."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from device_models.interface.image import DT_S

if TYPE_CHECKING:
    from .app import Simulation
    from .imager_link import ImagerLink, Prepared
    from .sequencer.images import Imaging
    from .sequencer.session import Suite

Looker = tuple[float, Callable[[], Any]]  # every so many s of machine time, what then happens


def new_imager(sim: "Simulation", prepared: "Prepared | None") -> "ImagerLink":
    """The patient on the couch and the imagers that see them."""
    from .imager_link import ImagerLink, ImagingHands, prepare

    order = sim.order
    assert order.imaging is not None
    patient, beam = order.imaging.patient, order.plan.fraction(order.group)[0]
    return ImagerLink(prepared or order.imaging.room or prepare(patient, order.plan), patient, beam, sim.plant, sim.image,
                      ImagingHands(sim.plant, sim.stop_pressed), lambda: sim.engine.cycle, lambda: left_alone_s(sim), order.seed)


def left_alone_s(sim: "Simulation") -> float:
    """When the last person left the room for the first time: from then on nobody corrects how the patient lies."""
    return next((event.t_s for event in sim.events if event.what == "press_search"), sim.engine.cycle * DT_S)


def lookers(sim: "Simulation", room: "ImagerLink") -> list[Looker]:
    """Who looks at the patient all the time: the surface monitor, where the protocol uses it, and the record of the truth."""
    assert sim.order.imaging is not None
    used = sim.order.imaging.protocol.intrafraction.surface is not None
    return [*([(room.monitor.config.every_s, room.look_at_skin)] if used else []), *truth_kept(sim, room)]


def truth_kept(sim: "Simulation", room: "ImagerLink") -> list[Looker]:
    """For the report, where there will be one: read only, so the bits of a run do not depend on it."""
    if sim.record.folder is None:
        return []
    from .target_log import EVERY_S, TargetLog

    sim.target = TargetLog(room, sim.control, sim.order.plan.fraction(sim.order.group))
    return [(EVERY_S, sim.target.look)]


def new_imaging(sim: "Simulation") -> "Imaging | None":
    """What the controller has to take images with; None in sessions without."""
    order = sim.order
    if sim.imager is None or order.imaging is None or order.machine.controller.kv_imager is None:
        return None
    from .imager_ends import imagers
    from .mv_link import MvLink
    from .sequencer.images import Imaging
    from .subsystems.kv_imager import KvImager
    from .subsystems.mv_imager import MvImager

    machine = order.machine.controller
    exposures, portal = imagers(sim.hardware, sim.imager, MvLink(sim.imager, machine) if machine.mv_imager else None)
    kv = KvImager(sim.linac, order.machine.controller.kv_imager, exposures)
    mv = None if machine.mv_imager is None or portal is None else MvImager(sim.linac, machine.mv_imager, portal)
    return Imaging(order.imaging.protocol, order.imaging.scan, kv, sim.imager.prepared.planning, sim.imager.reference.t_mm,
                   mv_imager=mv)


def carry_over(suite: "Suite", imaged_mu: float) -> None:
    """What an earlier run of this fraction gave for images counts against the protocol's limit, and stays on record."""
    from .sequencer.imaging_field import carry_over

    carry_over(suite, imaged_mu)


def note_residual(sim: "Simulation", what: str) -> None:
    """Truth at every beam-on, for the result and never for the controller."""
    number = int(sim.control.job["beam_number"][0])
    if sim.imager is not None and number not in sim.residuals and what == f"beam {number} on":
        beam = next(beam for beam in sim.order.plan.fraction(sim.order.group) if beam.number == number)
        sim.residuals[number] = sim.imager.residual(float(beam.couch[0][3]))
