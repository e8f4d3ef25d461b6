"""The kV imager: exposes when asked and allowed, and answers with frames of the patient as he really lies."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from device_models.patient.hidden import HiddenPose

from .attenuation import kv_spectrum
from .config import KvConfig
from .errors import ExposureRefused
from .frame import Frame, Instant, Metadata
from .geometry import kv_nominal, three, to_panel_mm, true_view
from .panel import Panel
from .projector import Projector
from .tube import Technique, Tube

CHUNK = 32  # frames computed at a time: 25 MB at 512 x 384
PANEL_AT_MM = 1000.0  # where quanta are counted in the tables


@dataclass(frozen=True, slots=True)
class Permits:
    """Wires of the generator: without any of them there are no X-rays."""

    door_closed: bool
    exposure_held: bool  # the switch at the console is a dead-man
    enabled: bool = True  # key, emergency stops


@dataclass(frozen=True, slots=True)
class KvShot:
    """One exposure asked for: technique, panel settings, where the machine really is and what its encoders say."""

    technique: Technique
    truth: Instant
    seen: Instant
    binning: int = 2
    range_name: str = "wide"


@dataclass(frozen=True, slots=True)
class KvNote:
    """An exposure that has been made: its number since power-up, and how much really came out of the tube, 1.0 = nominal."""

    shot: KvShot
    number: int
    output: float


@dataclass(slots=True, eq=False)
class KvImager:
    """Tube and panel on their arms."""

    config: KvConfig
    projector: Projector
    patient: HiddenPose
    seed: int
    tube: Tube = field(init=False)
    panel: Panel = field(init=False)
    frames: int = 0

    def __post_init__(self) -> None:
        self.tube = Tube(self.config.tube, self.seed)
        self.panel = Panel(self.config.panel, self.seed, "kV")

    def expose(self, shot: KvShot, permits: Permits) -> Frame:
        """One frame; ExposureRefused says why there is none."""
        return self.scan([shot], permits)[0]

    def scan(self, shots: Sequence[KvShot], permits: Permits) -> list[Frame]:
        """Frames in order of time, of one technique and binning: a pair, a run of fluoroscopy or a CBCT."""
        allowed(permits)
        if not shots:
            return []
        self._like_each_other(shots)
        return self.develop([self.note(shot) for shot in shots])

    def note(self, shot: KvShot) -> KvNote:
        """The exposure itself: the anode gets warm, the panel keeps what came. ExposureRefused says why there is none."""
        self.panel.per_quantum(shot.range_name, self.panel.shape(shot.binning)[2])
        if not to_panel_mm(kv_nominal(shot.truth)) > 0.0:
            raise ExposureRefused("kV imager: the panel is on the tube's side of the isocentre; move the arms to their places",
                                  "place")
        output = self.tube.expose(shot.technique, shot.truth.time_s, self.frames)
        number, self.frames = self.frames, self.frames + 1
        return KvNote(shot, number, output)

    def develop(self, notes: Sequence[KvNote]) -> list[Frame]:
        """Pixels of exposures, in order of time, of one technique and binning. How many at a time changes no bit."""
        if not notes:
            return []
        self._like_each_other([note.shot for note in notes])
        found: list[Frame] = []
        for start in range(0, len(notes), CHUNK):
            found += self._chunk(notes[start : start + CHUNK])
        return found

    def _chunk(self, notes: Sequence[KvNote]) -> list[Frame]:
        shots, numbers = [note.shot for note in notes], [note.number for note in notes]
        first = shots[0]
        shape = self.panel.shape(first.binning)
        spectrum = kv_spectrum(self.config.tube, first.technique.kv)
        views = [true_view(kv_nominal(s.truth), self.config.flex, s.truth, self.config.ahead_deg, shape) for s in shots]
        poses = [self.patient.pose(s.truth.time_s, s.truth.couch) for s in shots]
        integrals = self.projector.integrals(views, poses, spectrum)
        quanta = np.array([self._air(note.shot, kv_nominal(note.shot.truth)) * note.output for note in notes])
        times = np.array([s.truth.time_s for s in shots])
        images = self.panel.read(integrals, np.ones_like(integrals), quanta, first.binning, first.range_name, times, numbers)
        return [Frame(image, self._told(s, number, shape)) for image, s, number in zip(images, shots, numbers, strict=True)]

    def _air(self, shot: KvShot, place: tuple[np.ndarray, np.ndarray]) -> float:
        """Detected quanta per pixel without a patient, by the inverse square of the distance."""
        pitch = self.panel.shape(shot.binning)[2]
        per_mm2 = kv_spectrum(self.config.tube, shot.technique.kv).quanta_per_mm2 * shot.technique.mas
        return per_mm2 * pitch**2 * (PANEL_AT_MM / to_panel_mm(place)) ** 2

    def _told(self, shot: KvShot, number: int, shape: tuple[int, int, float]) -> Metadata:
        seen = shot.seen
        place = kv_nominal(seen)
        air = self._air(shot, place) * self.panel.per_quantum(shot.range_name, shape[2])
        return Metadata(
            "kV", number, seen.time_s, seen.gantry_deg, seen.gantry_deg + self.config.ahead_deg, three(place[0]), three(place[1]),
            seen.couch, *shape, shot.binning, shot.range_name, air, shot.technique.kv, shot.technique.mas, shot.technique.ms,
        )

    def _like_each_other(self, shots: Sequence[KvShot]) -> None:
        first = shots[0]
        for shot in shots:
            if (shot.technique.kv, shot.binning, shot.range_name) != (first.technique.kv, first.binning, first.range_name):
                raise ExposureRefused("kV imager: one run has one kV, binning and range; start another run for another technique")
        times = [shot.truth.time_s for shot in shots]
        if any(not b > a for a, b in pairwise(times)):
            raise ExposureRefused("kV imager: frames of a run must follow each other in time")


def allowed(permits: Permits) -> None:
    """ExposureRefused unless all wires say yes."""
    for fine, words, why in (
        (permits.door_closed, "the door is open; close it", "door"),
        (permits.exposure_held, "the exposure switch is not held", "switch"),
        (permits.enabled, "X-rays are not enabled; look at the key and the emergency stops", "enable"),
    ):
        if fine is not True:
            raise ExposureRefused(f"kV imager: no exposure: {words}", why)
