"""Patient and planning images of an order, made once and shared by sessions. Loads the heavy modules only where there are any."""

from dataclasses import replace

from .order import Order


def with_room(order: Order) -> Order:
    """Patient and planning images, if the session has them; PlanError when they and the plan do not belong together."""
    if order.imaging is None or order.imaging.room is not None:
        return order
    from .imager_link import prepare

    return replace(order, imaging=replace(order.imaging, room=prepare(order.imaging.patient, order.plan)))
