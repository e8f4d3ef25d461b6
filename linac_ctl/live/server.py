"""The control socket of a running, armed session: `linac-ctl fault inject --run DIR ...` talks to it.

It is served by the session's own loop. A request is carried out when the loop is at rest, between two cycles with everything
due by then done, and is an event with its cycle: so a replay does the very same, whatever the computer's clock was.
"""

import contextlib
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import LinacError, RecordError
from .intervention import Intervention
from .place import NAME, address
from .request import LONGEST, answer, parse_request, refusal

if TYPE_CHECKING:
    from ..app import Simulation

WHO = "control"


class Server:
    """One per armed run with a folder."""

    def __init__(self, sim: "Simulation", run: Path) -> None:
        """Listens at once; it is heard from the first idle moment of the session on."""
        self.sim, self.path = sim, run / NAME
        self.clients: dict[socket.socket, bytearray] = {}
        self.listener = listen(run)
        sim.loop.add_reader(self.listener, self._accept)

    def close(self) -> None:
        """The session is over: whoever still waits for an answer is told so."""
        self.sim.loop.remove_reader(self.listener)
        self.listener.close()
        for client in list(self.clients):
            self._drop(client)
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            client, _ = self.listener.accept()
            client.setblocking(False)
            self.clients[client] = bytearray()
            self.sim.loop.add_reader(client, self._hear, client)

    def _hear(self, client: socket.socket) -> None:
        try:
            data = client.recv(LONGEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        said = self.clients[client]
        said += data
        if not data or len(said) > LONGEST:
            self._drop(client)
            return
        *lines, rest = bytes(said).split(b"\n")
        said[:] = rest
        for line in lines:
            self.sim.loop.at_rest(lambda line=line: self._serve(client, line))  # type: ignore[misc]

    def _serve(self, client: socket.socket, line: bytes) -> None:
        try:
            said = self.carry_out(parse_request(line))
        except LinacError as error:
            said = refusal(error)
        with contextlib.suppress(OSError):  # who does not wait for an answer gets none
            client.send(said)

    def carry_out(self, asked: dict[str, Any]) -> bytes:
        """Now; the next cycle is the first to see it."""
        cycle = self.sim.engine.cycle
        if asked["do"] != "list":
            what = {key: value for key, value in asked.items() if key != "do"}
            Intervention(asked["do"], what, WHO, why="asked over the control socket").carry_out(self.sim)
        return answer(cycle=cycle, faults=faults(self.sim))

    def _drop(self, client: socket.socket) -> None:
        self.clients.pop(client)
        self.sim.loop.remove_reader(client)
        client.close()


def faults(sim: "Simulation") -> list[dict[str, Any]]:
    """What became of every fault so far."""
    from dataclasses import asdict

    return [] if sim.injector is None else [asdict(one) for one in sim.injector.evidence()]


def listen(run: Path) -> socket.socket:
    """RecordError where the folder takes no socket."""
    listener = socket.socket(socket.AF_UNIX)
    listener.setblocking(False)
    try:
        with address(run) as place:
            listener.bind(place)
        (run / NAME).chmod(0o600)
        listener.listen(4)
    except OSError as error:
        listener.close()
        raise RecordError(f"{run / NAME}: no control socket: {error.strerror or error}; choose another --out, "
                          f"or run without --faults") from None
    return listener
