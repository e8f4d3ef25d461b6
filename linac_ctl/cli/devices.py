"""`linac-ctl devices`: our virtual machine on ports, for somebody else's controller."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

from ..errors import LinkError, UsageError

DEFAULT_MACHINE = "c_arm_m120"
FIRST_PORT = 4001


@click.group("devices")
def command() -> None:
    """Offer virtual devices on ports."""


@command.command("serve")
@click.argument("names", nargs=-1, metavar="[DEVICE]...")
@click.option("--pty", "folder", is_flag=False, flag_value="", type=click.Path(path_type=Path), metavar="[FOLDER]",
              help="Offer each as a pseudo terminal FOLDER/DEVICE (the default way; default folder: one of your own under /tmp).")
@click.option("--tcp", is_flag=False, flag_value=f"127.0.0.1:{FIRST_PORT}", metavar="[HOST:PORT]",
              help=f"Offer them on TCP ports from this one on, raw bytes (default: this computer only, port {FIRST_PORT}).")
@click.option("--rfc2217", is_flag=False, flag_value=f"127.0.0.1:{FIRST_PORT}", metavar="[HOST:PORT]",
              help="As --tcp, as serial ports over telnet (RFC 2217).")
@click.option("--machine", default=DEFAULT_MACHINE, show_default=True, help="Machine file under configs/machines, by name or path.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="Seed of all noise.")
@click.option("--baud", type=click.IntRange(0, 20_000_000), default=0,
              help="Pass bytes at this rate, as a serial line would (default: at once).")
@click.option("--set", "settings", multiple=True, metavar="DEVICE.FIELD[.AXIS]=VALUE",
              help="A fault of a device's own from the start, like couch.bias.0=0.5 or gantry.moves=0 (repeatable).")
@click.option("--disturb", multiple=True, metavar="DEVICE=KIND[,KEY=VALUE]...",
              help="A fault of its line, like couch=loss,chance=0.01 (repeatable).")
@click.option("--run-for", "run_for_s", type=click.FloatRange(0.01, 1e7), help="End after so many seconds.")
@click.option("--json", "as_json", is_flag=True, help="Say where the devices are as one line of JSON.")
def serve(names: tuple[str, ...], folder: Path | None, tcp: str | None, rfc2217: str | None, machine: str, seed: int, baud: int,
          settings: tuple[str, ...], disturb: tuple[str, ...], run_for_s: float | None, as_json: bool) -> None:
    """Offer DEVICEs (default: all of the machine) to a controller, until Ctrl-C. SIMULATOR, not a medical device.

    They are devices of one virtual machine: one room, one clock. Time runs by itself, or in lockstep with a client that asks.
    """
    from ..config.loader import load_machine
    from ..served import Machinery, devices_of

    the_machine = load_machine(machine)
    chosen = devices_of(the_machine, names)
    ways = [way for way, given in (("pty", folder), ("tcp", tcp), ("rfc2217", rfc2217)) if given is not None]
    if len(ways) > 1:
        raise UsageError(f"--{ways[0]} and --{ways[1]}: one way at a time; start two servers for two")
    machinery = Machinery(the_machine, seed)
    for text in settings:
        machinery.set(text)
    lines = machinery.lines(chosen, baud, disturb)
    ports = open_ports(chosen, ways[0] if ways else "pty", folder, tcp or rfc2217 or "")
    sys.exit(asyncio.run(offer(machinery, ports, lines, baud, run_for_s, as_json)))


def open_ports(names: list[str], way: str, folder: Path | None, address: str) -> dict[str, Any]:
    """Where each is offered; LinkError if that place is taken."""
    from device_models.interface.stream.pty import PtyPort
    from device_models.interface.stream.rfc2217 import Rfc2217Port
    from device_models.interface.stream.tcp import TcpPort

    if way == "pty":
        place = Path(f"/tmp/linac-ctl-{os.getuid()}") if folder in (None, Path()) else Path(folder or "").absolute()
        return {name: opened(lambda name=name: PtyPort(place / name), str(place / name)) for name in names}
    host, port = host_and_port(address, way)
    maker = TcpPort if way == "tcp" else Rfc2217Port
    return {name: opened(lambda i=i: maker(host, port + i if port else 0), f"{host}:{port + i}") for i, name in enumerate(names)}


def opened(make: Any, where: str) -> Any:
    """A port, or LinkError."""
    try:
        return make()
    except FileExistsError as error:
        raise LinkError(str(error)) from None
    except OSError as error:
        raise LinkError(f"{where}: cannot be offered ({error.strerror or error}); take another place") from None


def host_and_port(address: str, way: str) -> tuple[str, int]:
    """127.0.0.1:4001; UsageError for nonsense."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise UsageError(f"--{way} {address!r}: give HOST:PORT, like 127.0.0.1:{FIRST_PORT}")
    return host.strip("[]"), int(port)


async def offer(machinery: Any, ports: dict[str, Any], lines: dict[str, Any], baud: int, run_for_s: float | None,
                as_json: bool) -> int:
    """Until Ctrl-C, or for so long; -> exit code."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = machinery.serve(loop, ports, lines, baud)
    try:
        tell(ports, baud, as_json)
        async with asyncio.timeout(run_for_s):
            await stop.wait()
    except TimeoutError:
        pass
    finally:
        server.close()
    return 0


def tell(ports: dict[str, Any], baud: int, as_json: bool) -> None:
    """Where they are, and what to type."""
    urls = {name: url(port, baud) for name, port in ports.items()}
    if as_json:
        click.echo(json.dumps({"devices": urls, "pid": os.getpid()}))
    else:
        for name, where in urls.items():
            click.echo(f"  {name:<11s} {where}")
        name, port = next(iter(ports.items()))
        click.echo(f"try it      {by_hand(port, baud)}   then type: HI")
        click.echo(f"session     linac-ctl run box --link {name}={urls[name]}")
        click.echo("Ctrl-C ends. Simulated; not a medical device.")
    sys.stdout.flush()


def url(port: Any, baud: int) -> str:
    """What `--link` takes."""
    from device_models.interface.stream.pty import PtyPort
    from device_models.interface.stream.rfc2217 import Rfc2217Port

    rate = f"?baud={baud}" if baud else ""
    if isinstance(port, PtyPort):
        return f"serial://{port.name}{rate}"
    return f"rfc2217://{port.name}{rate}" if isinstance(port, Rfc2217Port) else f"tcp://{port.name}"


def by_hand(port: Any, baud: int) -> str:
    """A terminal program that reaches it."""
    from device_models.interface.stream.pty import PtyPort
    from device_models.interface.stream.rfc2217 import Rfc2217Port

    if isinstance(port, PtyPort):
        return f"picocom --quiet --echo --omap crlf{f' -b {baud}' if baud else ''} {port.name}"
    if isinstance(port, Rfc2217Port):
        return f"python -m serial.tools.miniterm rfc2217://{port.name} {baud or 115200} --echo"
    return f"socat -,crnl TCP:{port.name}"
