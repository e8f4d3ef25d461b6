"""One thing that a check found: which beam, where in it, which attribute, its value, the limit, what to do."""

from dataclasses import asdict, dataclass

from linac_ctl.plan.dicom_fields import tag_text
from linac_ctl.plan.model import Beam

ERROR, WARNING, NOTE = "error", "warning", "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """`value` and `limit` are for people, with units; errors keep a plan from being delivered."""

    severity: str
    keyword: str  # DICOM keyword of the attribute at fault
    value: str
    limit: str
    advice: str
    beam: int | None = None
    beam_name: str = ""
    point: int | None = None

    @property
    def tag(self) -> str:
        """`(300A,011C) LeafJawPositions`."""
        return tag_text(self.keyword)

    @property
    def message(self) -> str:
        """The whole finding in one line."""
        place = f'beam {self.beam} "{self.beam_name}"' if self.beam is not None else "plan"
        at = f", control point {self.point}" if self.point is not None else ""
        return f"{place}{at}: {self.tag} {self.value}; limit: {self.limit}; {self.advice}"

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {**asdict(self), "tag": self.tag, "message": self.message}


def found(
    beam: Beam, keyword: str, value: str, limit: str, advice: str, point: int | None = None, severity: str = ERROR
) -> Finding:
    """A finding about one beam."""
    return Finding(severity, keyword, value, limit, advice, beam.number, beam.name, point)
