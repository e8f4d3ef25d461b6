"""A session with a control socket, and somebody in another thread who talks to it."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from linac_ctl.app import Simulation
from linac_ctl.injection.schedule import Schedule
from linac_ctl.live.server import Server
from linac_ctl.order import resolve
from linac_ctl.outcome import complete_record, create_folder
from linac_ctl.records.folder import RunFolder

SPEED = 200.0  # of real time: limited, so that somebody can be heard between two cycles
LONGEST_CYCLES = 20_000


class Spoken:
    """Four fields on the virtual machine; `talk` says something to it while it runs."""

    def __init__(self, path: Path, armed: bool = True) -> None:
        schedule = Schedule("none") if armed else None
        order = resolve("box", workflow="bench", scratch=path.parent)
        self.folder: RunFolder
        self.folder, order = create_folder(order, path, started="2026-01-01T00:00:00", faults=schedule)
        self.sim = Simulation(order, self.folder, speed=SPEED, faults=schedule)
        self.server = Server(self.sim, path) if armed else None

    @property
    def path(self) -> Path:
        """The run folder."""
        return self.folder.path

    def talk(self, say: Callable[[], Any]) -> Any:
        """What `say` returns or raises, called in another thread while machine time goes on."""
        got: list[Any] = []

        def other() -> None:
            try:
                got.append(say())
            except Exception as error:
                got.append(error)

        thread = threading.Thread(target=other)
        thread.start()
        while thread.is_alive() and self.sim.engine.cycle < LONGEST_CYCLES:
            self.sim.step(10)
        self.close()  # nobody is left without an answer
        thread.join(60.0)
        if isinstance(got[0], Exception):
            raise got[0]
        return got[0]

    def close(self) -> None:
        """No more talking."""
        if self.server is not None:
            self.server.close()
            self.server = None

    def end(self) -> Path:
        """The rest at full speed; -> the complete folder."""
        self.close()
        self.sim.set_speed(None)
        self.sim.run()
        complete_record(self.sim, self.folder, 0.0, 0.0, report=False)
        return self.path
