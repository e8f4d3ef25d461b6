"""`linac-ctl replay`: a run once more, bit for bit, or the first place where it differs."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click


@click.command("replay")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--until", metavar="INSTANT", help="Stop there and show the machine: 12.3s, cycle=1230, mu=20 or mu=20,beam=2.")
@click.option("--diff", type=click.Path(path_type=Path), metavar="OTHER", help="Compare with another run's record, not its own.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(run: Path, until: str | None, diff: Path | None, as_json: bool) -> int:
    """Run RUN again from its folder alone and compare rows, events and digest. Exit code 0: the same; 1: not."""
    from ..replay.instant import parse_instant
    from ..replay.replay import replay

    found = replay(run, None if until is None else parse_instant(until), diff)
    show(found, until is not None, as_json)
    return 0 if found.equal else 1


def show(found: Any, at_instant: bool, as_json: bool) -> None:
    """For scripts, or for people."""
    from ..replay.snapshot import snapshot

    now = snapshot(found.sim) if at_instant else None
    if as_json:
        divergence = None if found.divergence is None else asdict(found.divergence)
        click.echo(json.dumps({
            "run": found.run, "against": found.against, "equal": found.equal, "cycles": found.cycle, "rows": found.rows,
            "events": found.events, "digest": found.digest, "digest_on_record": found.digest_on_record,
            "divergence": divergence, "instant": now}, indent=1))
        return
    for line in lines(found, now):
        click.echo(line)


def lines(found: Any, now: dict[str, Any] | None) -> list[str]:
    """What a person wants to know."""
    against = "its record" if found.run == found.against else found.against
    if found.divergence is not None:
        verdict = [f"DIFFERENT from {against}", f"  first at {found.divergence.text}"]
    elif not found.equal:
        digests = f"digest {found.digest} against {found.digest_on_record}"
        verdict = [f"DIFFERENT from {against}", f"  rows and events are equal, the final state is not: {digests}"]
    else:
        verdict = [f"THE SAME as {against}: {found.rows} rows, {found.events} events, {found.cycle} cycles"
                   + (f", digest {found.digest}" if found.digest_on_record else "")]
    return verdict + ([] if now is None else described(now))


def described(now: dict[str, Any]) -> list[str]:
    """A snapshot, line by line."""
    dose = f"{now['true_mu']:.3f} of {now['mu_end']:.2f} MU"
    axes = [f"  {name:<12} {at['true']:10.3f} (setpoint {at['setpoint']:.3f}; worst axis off by {at['worst_off']:.3f})"
            for name, at in now["axes"].items()]
    return [
        f"at {now['t_s']:.2f} s (cycle {now['cycle']}): phase {now['phase']}, beam {now['beam']}, "
        f"control point {now['control_point']}, {dose}",
        f"  {now['rate_mu_per_s']:.2f} MU/s, permit {now['permit']}, channel {'closed' if now['channel_closed'] else 'open'}, "
        f"door {'shut' if now['door_closed'] else 'open'}, hold {now['hold']}",
        *axes, *[f"  in force: {text}" for text in now["interlocks"]], *[f"  {text}" for text in now["last_events"]],
    ]
