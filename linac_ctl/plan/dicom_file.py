"""From bytes to a dataset that is known to be a whole RT Plan (PS3.3 A.20), with or without preamble."""

import hashlib
import io
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import UID

from linac_ctl.errors import PlanError
from linac_ctl.plan.dicom_fields import Item, Where

RT_PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
OTHERS = {
    "1.2.840.10008.5.1.4.1.1.481.8": "an ion plan; this machine gives photons only",
    "1.2.840.10008.5.1.4.1.1.481.10": "a second generation RT Radiation plan; export it as RT Plan",
}


class _Tape(io.BytesIO):
    """Bytes that remember being asked for more than there are: pydicom passes over a cut value in silence."""

    short = False

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if size is not None and size > len(data) > 0:
            self.short = True
        return data


def open_plan(path: str | Path) -> tuple[Item, str]:
    """The dataset and the sha256 of the file; PlanError unless it is a complete RT Plan."""
    where = Where(Path(path).name)
    try:
        raw = Path(path).read_bytes()
    except OSError as exc:
        raise PlanError(f"{path}: cannot be read: {exc.strerror or exc}; check the path and its permissions") from exc
    data = _parse(raw, where)
    _require_rt_plan(Item(data, where))
    return Item(data, where), hashlib.sha256(raw).hexdigest()


def _parse(raw: bytes, where: Where) -> Dataset:
    if not raw:
        raise PlanError(f"{where}: the file is empty (0 bytes); export the plan again")
    tape = _Tape(raw)
    try:
        data = pydicom.dcmread(tape, force=True)
        known = "SOPClassUID" in data or "Modality" in data
    except Exception as exc:  # damage shows as anything from EOFError to struct.error
        raise PlanError(
            f"{where}: {_kind(raw)}: {str(exc)[:120] or type(exc).__name__}; export the plan again"
        ) from exc
    if not known:
        raise PlanError(f"{where}: {_kind(raw)}: neither SOP class nor modality found; give a DICOM RT Plan")
    if tape.short:
        raise PlanError(
            f"{where}: the file is truncated: it ends inside a value after {len(raw)} bytes; export the plan again"
        )
    return data


def _kind(raw: bytes) -> str:
    return "damaged or truncated DICOM file" if raw[128:132] == b"DICM" else "not a DICOM file, or a truncated one"


def _require_rt_plan(plan: Item) -> None:
    sop_class = plan.text("SOPClassUID") or str(getattr(plan.data.file_meta, "MediaStorageSOPClassUID", ""))
    if sop_class in OTHERS:
        raise plan.where.refuse("SOPClassUID", f"says {OTHERS[sop_class]}", "give a photon RT Plan")
    modality = plan.text("Modality")
    if sop_class != RT_PLAN and (sop_class or modality != "RTPLAN"):
        what = UID(sop_class).name if sop_class else f"modality {modality}"
        raise plan.where.refuse("SOPClassUID", f"says {what!r}, not RT Plan Storage", "give a DICOM RT Plan")
    if plan.items("ApplicationSetupSequence"):
        raise plan.where.refuse(
            "ApplicationSetupSequence", "makes this a brachytherapy plan", "give an external beam plan"
        )
