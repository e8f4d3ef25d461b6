"""Files that change under a run: the plan, a configuration file. Only a copy of the run's own is touched."""

import shutil
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .altered import Altered, Settings, done

if TYPE_CHECKING:
    from linac_ctl.app import Simulation

CONFIG_FILES = {"tolerances": "interlocks", "interlock_table": "interlocks", "mu_per_cgy": "machines", "leaf_offsets": "machines"}


class Borrowed(type(Path())):  # type: ignore[misc]
    """A path that can be watched: its folder goes when nobody holds it any more, and `read` is called when somebody reads it."""

    read: Callable[[], None] | None = None

    def read_bytes(self) -> bytes:
        """As always, and somebody is told."""
        if self.read is not None:
            self.read()
        data: bytes = super().read_bytes()
        return data


def own_file(name: str, data: bytes) -> Borrowed:
    """A file of this run's own."""
    folder = tempfile.mkdtemp(prefix="linac-ctl-fault-")
    path = Borrowed(folder, name)
    weakref.finalize(path, shutil.rmtree, folder, True)
    path.write_bytes(data)
    return path


def own_plan(sim: "Simulation") -> Borrowed:
    """A copy of the plan file that from now on is the plan file of this run."""
    path = own_file(sim.order.plan_path.name, sim.order.plan_path.read_bytes())
    sim.record.order = replace(sim.record.order, plan_path=path)
    return path


def turned(data: bytes) -> bytes:
    """One bit in the middle."""
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "bitflip": turned,
    "truncate": lambda data: data[: len(data) // 2],
    "checksum": lambda data: data + b"\0",
    "swap": lambda data: turned(data)[::-1],
}


def plan_changes(sim: "Simulation", given: Settings) -> Altered:
    """The plan file is no longer what was read. It tells nobody: the first who could know is whoever reads it next."""
    before = sim.order
    path = own_plan(sim)
    path.write_bytes(CHANGES[str(given["kind"])](path.read_bytes()))

    def back() -> None:
        path.read = None
        sim.record.order = replace(sim.record.order, plan_path=before.plan_path)

    altered = Altered(back)
    path.read = lambda: altered.mark(sim.engine.cycle + 1)
    return altered


def config_changes(sim: "Simulation", given: Settings) -> Altered:
    """A configuration file is no longer what was read: older, another machine's, or edited. Without files, one is made up."""
    before, folder = sim.order.files, CONFIG_FILES[str(given["file"])]
    chosen = next((i for i, (path, _) in enumerate(before) if folder in Path(path).parts), 0)
    text = Path(before[chosen][0]).read_bytes() if before else b""
    copy = own_file(f"{given['file']}.yaml", text + f"# {given['kind']}\n".encode())
    entry = (copy, before[chosen][1] if before else "0" * 64)
    sim.record.order = replace(sim.record.order, files=(*before[:chosen], entry, *before[chosen + 1 :]))

    def back() -> None:
        sim.record.order = replace(sim.record.order, files=before)

    return done(sim, back)


ALTERATIONS = {"plan_changes": plan_changes, "config_changes": config_changes}
