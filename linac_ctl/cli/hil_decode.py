"""`linac-ctl hil decode FILE`: what is in a recording?"""

from collections import Counter
from pathlib import Path

import click

from linac_ctl.errors import RecordError
from linac_ctl.hil.tape import pieces
from linac_ctl.hil.traffic import lines

from . import hil_frames

MOST_BYTES = 200_000_000


@click.command("decode")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--only-wrong", is_flag=True, help="Only lines that are not valid.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(file: Path, only_wrong: bool, as_json: bool) -> None:
    """Decode FILE: a tap of a run or of `hil`, or raw bytes from anywhere. One line per frame, errors with the reason.

    Raw bytes have no times, and the start characters say the direction.
    """
    data = read(file)
    found = pieces(data, str(file))
    begin_us, timed = found[0].t_us if found else 0, any(piece.t_us for piece in found)
    counted = Counter[bool]()
    for heard in lines(found, begin_us):
        counted[bool(heard.problem)] += 1
        if heard.problem or not only_wrong:
            click.echo(hil_frames.as_json(heard) if as_json else hil_frames.as_text(heard, timed))
    click.echo(f"{counted[False]} valid lines, {counted[True]} invalid", err=True)


def read(file: Path) -> bytes:
    """RecordError if that is not possible."""
    try:
        if (size := file.stat().st_size) > MOST_BYTES:
            raise RecordError(f"{file}: {size} bytes, more than {MOST_BYTES}; cut it into pieces first")
        return file.read_bytes()
    except OSError as error:
        raise RecordError(f"{file}: cannot be read: {error.strerror}") from None
