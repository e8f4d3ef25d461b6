"""`linac-ctl image`: projections and slices as PNG."""

from pathlib import Path

import click


@click.command("image")
@click.argument("what", metavar="RUN|FILE", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="PNG to write (default: named after RUN or FILE, in this folder).")
@click.option("--window", type=(float, float), default=(-400.0, 600.0), show_default=True, help="Black and white of slices, HU.")
@click.option("--at", "at_mm", type=(float, float, float), default=(0.0, 0.0, 0.0), show_default=True,
              help="Where slices cut, X Y Z mm from the isocentre of RUN or the middle of a series.")
def command(what: Path, out: Path | None, window: tuple[float, float], at_mm: tuple[float, float, float]) -> None:
    """A picture of the images of RUN, of a folder with a CT series, or of one DICOM FILE (CT slice or RT Image)."""
    from linac_ctl.records.images_look import look, save

    target = out or Path(f"{what.resolve().name.removesuffix('.dcm')}.png")
    save(look(what, window, at_mm), target)
    click.echo(str(target))
