"""A broker of our own, for this computer only, in a process of its own: `python -m linac_ctl.telemetry.broker PORT`.

It prints `port N` once it listens, and lives until its standard input ends. For more than looking in, use a real one.
"""

import asyncio
import logging
import os
import socket
import sys
from typing import Any

from amqtt.broker import Broker

from .modest import be_modest

HOST, USUAL_PORT, ANY_PORT, USUAL_IF_FREE = "127.0.0.1", 1883, 0, -1
MOST_CONNECTIONS = 50
ATTEMPTS = 5
LAST_WORDS_S = 0.5  # after the end, so that what is on its way arrives


def settings(port: int) -> dict[str, Any]:
    """Loopback, no passwords, nothing on disk."""
    listener = {"type": "tcp", "bind": f"{HOST}:{port}", "max_connections": MOST_CONNECTIONS}
    return {"listeners": {"default": listener},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}}


def free_port() -> int:
    """One that nobody has at this moment."""
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


def candidates(wanted: int) -> list[int]:
    """Ports to try, in order."""
    if wanted > 0:
        return [wanted]
    return [*([USUAL_PORT] if wanted == USUAL_IF_FREE else []), *(free_port() for _ in range(ATTEMPTS))]


async def listening(wanted: int) -> tuple[Broker, int]:
    """The first port that can be had; the last error if none."""
    for port in (ports := candidates(wanted)):
        broker = Broker(settings(port))
        try:
            await broker.start()
        except Exception:
            if port == ports[-1]:
                raise
            continue
        return broker, port
    raise OSError("no port")


async def serve(wanted: int) -> None:
    """Until standard input ends."""
    broker, port = await listening(wanted)
    say(f"port {port}")
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)  # nobody ever writes: readable means closed
    await ended.wait()
    await asyncio.sleep(LAST_WORDS_S)
    await broker.shutdown()


def say(line: str) -> None:
    """To our parent."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    """Errors go to standard output as `error: ...`: our parent reads them there."""
    logging.disable(logging.CRITICAL)
    be_modest()
    try:
        asyncio.run(serve(int(arguments[0])))
    except Exception as error:
        say(f"error: {error.__cause__ or error}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    finally:
        os._exit(0)
