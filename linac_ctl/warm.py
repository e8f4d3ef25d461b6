"""The first start on a computer: machine code of the cycle is made in a process beside this one while this one rehearses images.

Later starts find all of it in the cache and do nothing here. If the other process fails, this one makes the code when it
needs it. What images need is compiled by copies of whoever needs it (`device_models.interface.kernel_cache`): no session
depends on a rehearsal, which only saves time.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from device_models.interface.compiled import cache_home, source_key

from .config.machine import KvImagerConfig
from .order import ImagingOrder, Order

MARK = "complete"  # file in a cache folder: everything has been compiled into it once


def missing(folder: Path) -> bool:
    """Nothing has been compiled into this cache folder, or not everything."""
    return os.environ.get("NUMBA_DISABLE_JIT", "0") == "0" and not (folder / MARK).exists()


def mark(folder: Path) -> None:
    """From here on the folder counts as complete; a cache that cannot be written is no harm."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).touch()
    except OSError:
        return


def warm(order: Order, say: Callable[[str], None] = lambda text: None) -> None:
    """Compile what this order needs; only where both kinds of code are missing is there something to gain."""
    from device_models.interface.kernels import CACHE

    cycle, images = cache_home() / source_key(), Path(CACHE)
    imaging, kv = order.imaging, order.machine.controller.kv_imager
    if imaging is None or imaging.room is None or kv is None or not missing(images):
        return
    say("first start: machine code for this computer is made once, in about a minute")
    beside = start(order.machine.name) if missing(cycle) else None
    rehearse(imaging, kv)
    mark(images)
    if beside is not None and beside.wait() == 0:
        mark(cycle)


def start(machine: str) -> "subprocess.Popen[bytes]":
    """Another process that compiles the cycle and ends."""
    return subprocess.Popen([sys.executable, "-m", "linac_ctl.warm", machine], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def rehearse(imaging: ImagingOrder, config: KvImagerConfig) -> None:
    """One scan, one match and one triggered image of a patient who lies as planned; what the matchers prepare is kept."""
    from device_models.imagers.frame import Instant
    from device_models.imagers.kv import KvImager, KvShot, Permits
    from device_models.imagers.tube import Technique
    from device_models.patient.couch import CouchPose

    from .sequencer.images import Imaging
    from .sequencer.matching import locate
    from .told_frames import told

    room, scan, asked = imaging.room, imaging.protocol.scans[imaging.scan], imaging.protocol.technique
    desk = Imaging(imaging.protocol, imaging.scan, SimpleNamespace(config=config), room.planning, (0.0, 0.0, 0.0))  # type: ignore[arg-type]
    angles = np.linspace(scan.start_deg, scan.stop_deg, scan.frames)
    places = [Instant(0.2 * k, float(angle), CouchPose()) for k, angle in enumerate(angles, 1)]
    shots = [KvShot(Technique(asked.kv, asked.ma, asked.ms), place, place, scan.binning) for place in places]
    imager = KvImager(room.imagers.kv, room.projector, room.patient.hidden(), 0)
    frames = tuple(told(frame) for frame in imager.scan(shots, Permits(True, True)))
    images = desk.taken("cbct", frames, ("rehearsal",), 0.0, 0)
    desk.register(images, "rehearsal", room.planning.patient_id)
    locate(desk, frames[0], 0.0, -1.0)


def compile_cycle(machine: str) -> None:
    """Build an engine on this machine, as a session does."""
    from device_models.interface.image import new_image
    from device_models.plant import new_plant

    from .config.loader import load, load_machine, validate
    from .control.state import columns, new_control
    from .interlocks.table import InterlockTable, compile_parameters, compile_table
    from .runtime.engine import Engine

    it = load_machine(machine)
    table = validate(InterlockTable, load("interlocks", it.interlocks))
    rows = np.zeros((64, len(columns(it.controller))), np.float32)
    control = new_control(it.controller, compile_table(table), compile_parameters(table, it.controller), points=8, rows=rows)
    Engine(control, new_image(it.controller.sizes()), new_plant(it.plant, 0)).power_up()


if __name__ == "__main__":
    compile_cycle(sys.argv[1])
