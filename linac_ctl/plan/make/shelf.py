"""Plans that were made before: the same arguments and the same sources give the same bytes, so they are made once."""

import hashlib
import os
import tempfile
from pathlib import Path

from device_models.interface.compiled import cache_home
from linac_ctl.plan.make.mlc import find_mlc
from linac_ctl.plan.make.recipes import find_recipe

HERE = Path(__file__).resolve().parent


def shelved_plan(kind: str, mlc: str, mu: float | None, otherwise: Path) -> Path:
    """A DICOM RT Plan of this kind: from the shelf, or made and put there. `otherwise` takes it where there is no shelf."""
    find_recipe(kind), find_mlc(mlc)  # PlanError for a name that does not exist, shelf or no shelf
    name = f"{kind}-{mlc}-{'usual' if mu is None else f'{mu:g}'}-{made_by()}.dcm"
    shelf = cache_home() / "plans"
    if (shelf / name).is_file():
        return shelf / name
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=shelf, delete=False) as file:
            making = Path(file.name)
    except OSError:
        return _make(otherwise / f"{kind}.dcm", kind, mlc, mu)
    _make(making, kind, mlc, mu)
    os.replace(making, shelf / name)
    return shelf / name


def made_by() -> str:
    """12 hex digits that change whenever anything that makes plans does."""
    import pydicom

    digest = hashlib.sha256(pydicom.__version__.encode())
    for path in sorted(p for p in HERE.rglob("*") if p.suffix in (".py", ".yaml")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _make(path: Path, kind: str, mlc: str, mu: float | None) -> Path:
    from linac_ctl.plan.make import write_plan

    write_plan(path, kind, mlc=mlc, mu=mu)
    return path
