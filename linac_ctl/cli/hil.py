"""`linac-ctl hil`: tools for somebody's device on a line."""

import click

from .lazy import LazyGroup, Target

TARGETS = {
    "check": Target("linac_ctl.cli.hil_check:command", "Check whether a device keeps to the wire protocol."),
    "probe": Target("linac_ctl.cli.hil_probe:command", "Measure a line: round trips, clock, latency timer, budget."),
    "monitor": Target("linac_ctl.cli.hil_monitor:command", "Show decoded traffic as it happens."),
    "decode": Target("linac_ctl.cli.hil_decode:command", "Decode a recording, one line per frame."),
    "replay": Target("linac_ctl.cli.hil_replay:command", "Send recorded requests again and compare the replies."),
}


@click.command("hil", cls=LazyGroup, targets=TARGETS)
def command() -> None:
    """Tools for hardware in the loop: check, measure and watch a device that speaks the wire protocol.

    PORT is a device node (/dev/ttyUSB0) or a link: serial:///dev/ttyUSB0?baud=921600, tcp://HOST:PORT, rfc2217://HOST:PORT.
    For simulators and bench set-ups, never with a person on or near what moves.
    """
