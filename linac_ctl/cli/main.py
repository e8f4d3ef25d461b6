"""The command line's frame: which commands there are, and how every ending becomes an exit code."""

import json
import os
import sys
from collections.abc import Sequence

import click

from linac_ctl import __version__
from linac_ctl.errors import LinacError

from .lazy import LazyGroup, Target

BANNER = "SIMULATOR, not a medical device: never connect it to anything that can treat or hurt a person."
EXIT_CODES = """\b
Exit codes:
  0    delivered, or the question was answered
  1    not completed: partial, refused, terminated, or a check failed
  2    usage: no such command, option or argument
  3    a configuration file or a plan is refused
  4    a device or a link to one failed
  5    a record cannot be written or read
  6    a line to a device cannot be opened, or nobody answers there
  7    the ledger of a campaign is in use, of another code, not there, or there already
  8    the workers of a campaign cannot be reached, or are of another code
  130  ended by Ctrl-C"""
TARGETS = {
    "run": Target("linac_ctl.cli.run:command", "Run a session: plan, machine, workflow, all from files."),
    "serve": Target("linac_ctl.cli.serve:command", "Run a session in real time, watched from outside over MQTT."),
    "monitor": Target("linac_ctl.cli.monitor:command", "Look at running machines over MQTT."),
    "devices": Target("linac_ctl.cli.devices:command", "Offer virtual devices on ports, for somebody else's controller."),
    "plan": Target("linac_ctl.cli.plan:command", "Look at, check and make DICOM RT Plans."),
    "patient": Target("linac_ctl.cli.patient:command", "Write the built-in patient as planning CT, structures and plan."),
    "study": Target("linac_ctl.cli.study:command", "Study many patients: which margin each way of imaging needs."),
    "fault": Target("linac_ctl.cli.fault:command", "What can go wrong with the machine, and what has to come of it."),
    "campaign": Target("linac_ctl.cli.campaign:command", "Run thousands of sessions with faults, and report what came of them."),
    "interlocks": Target("linac_ctl.cli.interlocks:command", "List the rows of the interlock table."),
    "replay": Target("linac_ctl.cli.replay:command", "Run a run again, bit for bit, or find where it differs."),
    "report": Target("linac_ctl.cli.report:command", "Write the report of a run as one HTML page."),
    "image": Target("linac_ctl.cli.image:command", "Projections and slices of a run, a series or a file as PNG."),
    "match": Target("linac_ctl.cli.match:command", "Match two DICOM series, CT and CBCT."),
    "export": Target("linac_ctl.cli.export:command", "Write the rows of a run as CSV, Parquet or trajectory logs."),
    "config": Target("linac_ctl.cli.config:command", "List, show and check configuration files."),
    "hil": Target("linac_ctl.cli.hil:command", "Hardware in the loop: check, measure and watch a device on a line."),
    "doctor": Target("linac_ctl.cli.doctor:command", "Look at this computer: what works, what is missing, what to do."),
}


@click.command(
    "linac-ctl", cls=LazyGroup, targets=TARGETS, epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=f"Controls a simulated linear accelerator with kV imaging.\n\n{BANNER}",
)
@click.version_option(__version__, prog_name="linac-ctl")
def cli() -> None:
    """The group itself does nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and -> its exit code. A command returns its exit code, or None for 0."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        answer = cli.main(args=words, prog_name="linac-ctl", standalone_mode=False)
        sys.stdout.flush()  # a reader that has gone away is noticed here, not at shutdown
        return answer if isinstance(answer, int) else 0
    except LinacError as error:
        return fail(words, type(error).__name__, str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        return fail(words, "UsageError", usage_message(error), 2)
    except (KeyboardInterrupt, click.Abort):
        click.echo("linac-ctl: ended by Ctrl-C", err=True)
        return 130
    except BrokenPipeError:  # for example `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def usage_message(error: click.ClickException) -> str:
    """What click says, and where help is."""
    context = getattr(error, "ctx", None)
    where = context.command_path if context else "linac-ctl"
    return f"{error.format_message()}\nsee {where} --help"


def fail(words: Sequence[str], kind: str, message: str, exit_code: int) -> int:
    """Tell the person on stderr, or with --json the program on stdout."""
    if "--json" in words:
        answer = {"error": {"kind": kind, "message": message, "exit_code": exit_code}}
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        click.echo(f"linac-ctl: error: {message}", err=True)
    return exit_code
