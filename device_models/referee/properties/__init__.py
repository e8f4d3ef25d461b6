"""The properties of the catalogue, in its order."""

from .agreement import AGREEMENT
from .catalogue import Property
from .delivery import DELIVERY
from .dose import DOSE
from .imaging import IMAGING
from .liveness import LIVENESS
from .logic import LOGIC
from .motion import MOTION
from .permits import PERMITS

PROPERTIES: tuple[Property, ...] = (
    *sorted((*PERMITS, *DOSE, *AGREEMENT, *MOTION, *DELIVERY, *IMAGING, *LOGIC), key=lambda it: it.id), *LIVENESS,
)

__all__ = ["PROPERTIES", "Property"]
