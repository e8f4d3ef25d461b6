"""`linac-ctl match`: the matcher on any two DICOM series."""

import json
from pathlib import Path

import click

FOLDER = click.Path(path_type=Path)


@click.command("match")
@click.argument("ct_dir", type=FOLDER)
@click.argument("cbct_dir", type=FOLDER)
@click.option("--dof", type=click.Choice(("3", "4", "6")), default="6", show_default=True,
              help="X Y Z; and the turn about Z; and all turns.")
@click.option("--isocentre", type=(float, float, float), help="DICOM coordinates, mm (default: middle of the CBCT).")
@click.option("--box", "half_box_mm", type=(float, float, float), default=(60.0, 55.0, 50.0), show_default=True,
              help="Half sizes of the clip box about the isocentre along X, Y, Z, mm.")
@click.option("--any-frame", is_flag=True, help="Compare coordinates of two frames of reference as they are.")
@click.option("--out", type=click.Path(path_type=Path), help="PNG with both images before and after the match.")
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def command(ct_dir: Path, cbct_dir: Path, dof: str, isocentre: tuple[float, float, float] | None,
            half_box_mm: tuple[float, float, float], any_frame: bool, out: Path | None, as_json: bool) -> int:
    """Find the patient of CBCT_DIR where CT_DIR was planned. SIMULATOR, not for clinical use.

    The error: a point planned at p is at R p + t, mm and deg, IEC 61217 fixed frame, about the isocentre. Exit 0 for a match
    that could be approved, 1 for a poor one.
    """
    from linac_ctl.errors import RefusedError
    from linac_ctl.imaging.dicom_series import read_series
    from linac_ctl.imaging.match_series import match_series
    from linac_ctl.imaging.pose import IDENTITY, rounded, six

    found = match_series(read_series(ct_dir), read_series(cbct_dir), int(dof), isocentre, half_box_mm, any_frame)
    fit, error = found.fit, six(rounded(found.fit.pose))
    if out is not None:
        from linac_ctl.records.images_look import save
        from linac_ctl.records.overlay import compared

        save(compared(found.ct, found.cbct, IDENTITY, fit.pose), out)
    if as_json:
        click.echo(json.dumps({
            "error": error, "dof": fit.dof, "method": fit.method, "similarity": round(fit.similarity, 4),
            "rival": round(fit.rival, 4), "inside": round(fit.inside, 4), "complaints": found.complaints,
            "isocentre_mm": found.isocentre_mm, "ct": str(ct_dir), "cbct": str(cbct_dir),
        } | ({"picture": str(out)} if out else {}), indent=2, ensure_ascii=False))
        return 1 if found.complaints else 0
    click.echo("X {:+.2f}  Y {:+.2f}  Z {:+.2f} mm   pitch {:+.2f}  roll {:+.2f}  yaw {:+.2f} deg".format(*error))
    click.echo(f"{fit.dof} DoF about DICOM {', '.join(f'{v:g}' for v in found.isocentre_mm)} mm; similarity {fit.similarity:.3f}")
    if out is not None:
        click.echo(f"picture: {out}")
    if found.complaints:
        raise RefusedError(f"match refused: {'; '.join(found.complaints)}; look at clip box, isocentre and images")
    return 0
