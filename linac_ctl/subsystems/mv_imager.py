"""The MV imager: a panel on one arm. The beam that makes its image is somebody else's; here it is collected."""

from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Any

import numpy as np
from transitions import Machine

from ..config.machine import MvImagerConfig
from ..control.phases import Phase
from ..errors import RefusedError
from .beam import Delivered
from .linac import Linac
from .mv_frames import MvFrame, Portal


class MvState(Enum):
    """Of the panel."""

    RETRACTED = "retracted"
    POSITIONING = "positioning"
    READY = "ready"
    COLLECTING = "collecting"
    FAULTED = "faulted"


S = MvState
MV_TABLE: list[list[Any]] = [
    # trigger, from, to
    ["position", [S.RETRACTED, S.READY, S.FAULTED], S.POSITIONING],
    ["be_ready", S.POSITIONING, S.READY],
    ["be_retracted", S.POSITIONING, S.RETRACTED],
    ["collect", S.READY, S.COLLECTING],
    ["finish", S.COLLECTING, S.READY],
    ["fail", [S.POSITIONING, S.COLLECTING], S.FAULTED],
]


class MvImager:
    """Verbs: to_imaging_position, retract, image."""

    state: MvState

    def __init__(self, linac: Linac, config: MvImagerConfig, portal: Portal) -> None:
        self.linac, self.config, self.portal = linac, config, portal
        Machine(self, states=MvState, initial=MvState.RETRACTED, transitions=MV_TABLE, auto_transitions=False)

    def trigger(self, name: str) -> None:
        """MachineError unless the table has this transition."""
        getattr(self, name)()

    async def to_imaging_position(self) -> None:
        """Panel under the patient."""
        if self.state is not MvState.READY:
            await self._move_arm(self.config.imaging_mm, "be_ready")

    async def retract(self) -> None:
        """Panel back to where it is while treating without images."""
        if (place := self.linac.config.parked_mm.get("mv_arm")) is None:
            raise RefusedError("MV imager: the machine file gives no parked place for mv_arm (parked_mm); nothing moved")
        await self._move_arm(place, "be_retracted")

    async def image(self, binning: int, mode: str, deliver: Callable[[], Awaitable[Delivered]]) -> MvFrame:
        """The image of the beam that `deliver` gives, from where the panel stands."""
        self.check_ready()
        self.trigger("collect")
        try:
            self.portal.start(mode, binning)
            frame = self.portal.stop((await deliver()).mu_1)
        except BaseException:
            self.portal.discard()
            self.trigger("fail")
            raise
        self.trigger("finish")
        return frame

    def check_ready(self) -> None:
        """RefusedError unless the panel is out: before any beam is spent on an image that nobody collects."""
        if self.state is not MvState.READY:
            raise RefusedError(f"MV imager: {self.state.value}, not in its imaging position; bring the panel out first")

    async def _move_arm(self, place_mm: Sequence[float], arrived: str) -> None:
        self.trigger("position")
        try:
            if int(self.linac.control.job["phase"][0]) == int(Phase.BEAM):
                raise RefusedError("MV imager: the treatment beam is on; wait until the field is over")
            self.linac.enter(Phase.MOVE)
            await self.linac.mv_arm.move_to(np.array(place_mm))
        except BaseException:
            self.trigger("fail")
            raise
        finally:
            if int(self.linac.control.job["phase"][0]) == int(Phase.MOVE):
                self.linac.enter(Phase.IDLE)
        self.trigger(arrived)
