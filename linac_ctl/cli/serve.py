"""`linac-ctl serve`: a session in real time that can be watched from outside, over MQTT."""

import sys
import tempfile
from datetime import datetime
from pathlib import Path

import click

from ..errors import UsageError
from .run import DEFAULT_SESSION, carry_out, prepare_order, schedule_of, speed_factor
from .telemetry import open_telemetry


@click.command("serve")
@click.argument("session", default=DEFAULT_SESSION)
@click.option("--mqtt", default="embedded:", show_default=True, is_flag=False, flag_value="embedded:", metavar="[URL]",
              help="Where telemetry goes: mqtt://HOST:1883, mqtts://HOST:8883, or embedded: (our own broker, this computer only).")
@click.option("--plan", type=click.Path(path_type=Path), help="DICOM RT Plan to deliver instead of the session's own.")
@click.option("--machine", help="Machine file under configs/machines, by name or path.")
@click.option("--workflow", help="Workflow file under configs/workflows.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of all noise (default: the session's).")
@click.option("--speed", default="1", show_default=True, help="A factor of real time such as 1 or 10, or 'max'.")
@click.option("--faults", metavar="FILE", help="Faults to inject: a file under configs/faults, by name or path ('none' only arms).")
@click.option("--out", type=click.Path(path_type=Path), help="Run folder (default runs/<time>-<session>).")
@click.option("--run-for", "run_for_s", type=click.FloatRange(0.01, 1e7),
              help="Stop, with a record to resume, after so many seconds of machine time.")
@click.option("--report/--no-report", default=True, show_default=True, help="Write plots and report.html.")
@click.option("--json", "as_json", is_flag=True, help="Print result.json instead of text.")
def command(session: str, mqtt: str, plan: Path | None, machine: str | None, workflow: str | None, seed: int | None, speed: str,
            faults: str | None, out: Path | None, run_for_s: float | None, report: bool, as_json: bool) -> None:
    """Run SESSION (default: spine_igrt) in real time and publish what happens. Nothing that is published can be answered:
    no topic moves anything. SIMULATOR, not a medical device."""
    if ":" not in mqtt:
        raise UsageError(f"--mqtt {mqtt!r}: not a URL; name the session first: linac-ctl serve {mqtt} --mqtt")
    factor = speed_factor(speed)
    with tempfile.TemporaryDirectory(prefix="linac-ctl-") as scratch:
        order, start = prepare_order(session, plan, machine, workflow, seed, None, Path(scratch))
        folder = out or Path("runs") / f"{datetime.now():%Y%m%d-%H%M%S}-{order.name}"
        code = carry_out(order, start, folder, factor, run_for_s, report, as_json, telemetry=open_telemetry(mqtt),
                         faults=schedule_of(faults))
    sys.exit(code)
