"""Asks something of a running session over its control socket."""

import json
import socket
from pathlib import Path
from typing import Any

from .. import errors
from ..errors import LinacError, LinkError, RefusedError
from ..records.manifest import NAME as MANIFEST
from ..records.manifest import read_manifest
from ..records.result import NAME as RESULT
from .place import NAME, address

PATIENCE_S = 60.0  # a session that computes images answers when it is done with them


def ask(run: Path, **request: Any) -> dict[str, Any]:
    """The answer; RefusedError when no armed session is there, LinkError when it does not answer, else what it has against it."""
    line = json.dumps(request).encode() + b"\n"
    try:
        with socket.socket(socket.AF_UNIX) as wire, address(run) as place:
            wire.settimeout(PATIENCE_S)
            wire.connect(place)
            wire.sendall(line)
            said = wire.makefile("rb").readline()
    except TimeoutError:
        raise LinkError(f"{run / NAME}: no answer within {PATIENCE_S:g} s; does the session still run?") from None
    except OSError as error:
        raise silent(run, error) from None
    if not said:
        raise LinkError(f"{run}: the session ended before it answered")
    return unpacked(json.loads(said))


def silent(run: Path, error: OSError) -> LinacError:
    """Why nobody listens there, as far as the folder tells."""
    start = f"start one with `linac-ctl run SESSION --out {run} --speed 1 --faults none`"
    if not (run / MANIFEST).exists():
        return RefusedError(f"{run}: no run folder, so no session to put a fault into; {start}")
    if (run / RESULT).exists():
        return RefusedError(f"{run}: this session is over; faults go into one that runs: {start.replace(str(run), 'DIR')}")
    if not read_manifest(run).faults:
        return RefusedError(f"{run}: this session is not armed for faults; {start.replace(str(run), 'DIR')}")
    return LinkError(f"{run}: nobody listens there ({error.strerror or error}): the session was killed, or runs at --speed max, "
                     f"where it is over before anybody has typed")


def unpacked(said: dict[str, Any]) -> dict[str, Any]:
    """The answer itself, or the error in it, raised."""
    if said.pop("ok"):
        return said
    told = said["error"]
    kind = getattr(errors, told["kind"], LinacError)
    raise kind(told["message"])
