"""`linac-ctl monitor`: look at running machines over MQTT."""

import asyncio
import json
import sys
import time
from typing import Any

import click

from ..errors import UsageError
from ..telemetry.address import BrokerError, default_url, parse

FIRST_LOOK_S = 5.0


@click.command("monitor")
@click.argument("url", required=False)
@click.option("--machine", help="Only this one (default: all that the broker knows).")
@click.option("--json", "as_json", is_flag=True, help="Print one snapshot as JSON.")
@click.option("--every", "every_s", type=click.FloatRange(0.05, 3600.0), help="Look again every so many seconds, until Ctrl-C.")
@click.option("--wait", "wait_s", type=click.FloatRange(0.1, 3600.0), default=FIRST_LOOK_S, show_default=True,
              help="Seconds to wait for the first news of a machine.")
def command(url: str | None, machine: str | None, as_json: bool, every_s: float | None, wait_s: float) -> None:
    """Show what the machines at the broker URL (default: $LINAC_CTL_MQTT_URL, else this computer, port 1883) are doing.

    On a terminal a live view; otherwise, or with --json, one look. Numbers older than two periods are marked stale;
    what a broker keeps of a machine that is not online is history. Looks only: nothing is ever published."""
    from ..telemetry.topics import safe_name
    from ..telemetry.watch import Watcher

    address = parse(url or default_url())
    if address.embedded:
        raise UsageError("monitor embedded: that broker is part of `serve`; give the URL that it prints, mqtt://127.0.0.1:PORT")
    watcher = Watcher(address, "+" if machine is None else safe_name(machine))
    live = not as_json and every_s is None and sys.stdout.isatty()
    asyncio.run(live_view(watcher, wait_s) if live else plain_view(watcher, as_json, every_s, wait_s))


async def plain_view(watcher: Any, as_json: bool, every_s: float | None, wait_s: float) -> None:
    """Once, or every so often."""
    await watcher.show(lambda view: print_view(watcher, view, as_json), every_s or 1.0, wait_s, once=every_s is None)


def print_view(watcher: Any, view: Any, as_json: bool) -> None:
    """One look; BrokerError when there is nobody."""
    now_s = time.monotonic()
    if not view.machines:
        raise BrokerError(f"MQTT {watcher.address.text}: no machine has said anything here; start one with "
                          f"`linac-ctl serve --mqtt {watcher.address.text}`, or wait longer (--wait)")
    if as_json:
        data = {"broker": watcher.address.text, "trouble": watcher.trouble, **view.snapshot(now_s)}
        click.echo(json.dumps(data))
        return
    from rich.console import Console

    from .monitor_view import picture

    Console().print(picture(watcher, now_s))


async def live_view(watcher: Any, wait_s: float) -> None:
    """The whole terminal, five times a second, until Ctrl-C."""
    from rich.live import Live

    from .monitor_view import picture

    await watcher.reach()  # a broker that is not there is an error, not a view
    with Live(auto_refresh=False, screen=True) as screen:
        await watcher.show(lambda view: screen.update(picture(watcher, time.monotonic()), refresh=True), 0.2, 0.0, once=False)
