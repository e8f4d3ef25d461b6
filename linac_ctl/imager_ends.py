"""The far end of imagers' lines that a run makes itself: the imager of this room, behind bytes. Composition, like hardware.py."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from device_models.interface.stream import Stream
from device_models.serve.cameras import KvCamera, MvCamera
from device_models.serve.imager import Camera, ImagerDevice, new_imager
from device_models.serve.pixel_files import PixelFiles

from .errors import LinkError
from .wire_imagers import WireExposures, WirePortal

if TYPE_CHECKING:
    from .hardware import Hardware
    from .imager_link import ImagerLink
    from .mv_link import MvLink
    from .subsystems.kv_frames import Exposures
    from .subsystems.mv_frames import Portal

PATIENCE_S = 0.5  # for bytes to cross a pty of our own


class ImagerEnd:
    """One imager: hears what has come, and answers. The pump of its line."""

    def __init__(self, stream: Stream, device: Callable[[PixelFiles, Callable[[bytes], object]], ImagerDevice]) -> None:
        self.stream, self.files = stream, pixel_files()
        self.device = device(self.files, stream.write)

    def hear(self) -> None:
        """What has come."""
        if data := self.stream.read(PATIENCE_S):
            self.device.hear(data)

    def close(self) -> None:
        """The line is given back, and no pixels are left."""
        self.stream.close()
        self.files.close()


def pixel_files() -> PixelFiles:
    """A folder of this run; LinkError when there can be none."""
    try:
        return PixelFiles()
    except (OSError, ValueError) as error:
        raise LinkError(f"pixels of imagers behind a line: {error}") from None


def imagers(hardware: "Hardware | None", room: "ImagerLink", portal: "MvLink | None") -> "tuple[Exposures, Portal | None]":
    """What the subsystems ask: the room's own imagers, or lines to them where the run wants lines."""
    linked = {} if hardware is None else hardware.urls
    exposures: Exposures = room
    asked: Portal | None = portal
    if hardware is not None and "kv_imager" in linked:
        exposures = WireExposures(hardware.join_imager("kv_imager", end_of("kv_imager", KvCamera(room), room)))
    if hardware is not None and portal is not None and "mv_imager" in linked:
        asked = WirePortal(hardware.join_imager("mv_imager", end_of("mv_imager", MvCamera(portal), room)), portal.field)
    return exposures, asked


def end_of(name: str, camera: Camera, room: "ImagerLink") -> Callable[[Stream], ImagerEnd]:
    """Makes the far end of a line."""
    def device(files: PixelFiles, say: Callable[[bytes], object]) -> ImagerDevice:
        return new_imager(name, camera, files, room.cycle, room.seed, say)

    return partial(ImagerEnd, device=device)
