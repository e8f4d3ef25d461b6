"""The portal imager: frames from the treatment beam. It makes no beam; what comes through it is counted in MU by the machine."""

from dataclasses import dataclass, field

import numpy as np

from device_models.patient.chance import normals
from device_models.patient.hidden import HiddenPose

from .aperture import Aperture, open_share
from .attenuation import Spectrum
from .config import MvConfig
from .errors import ExposureRefused
from .frame import Frame, Instant, Metadata
from .geometry import mv_nominal, three, to_panel_mm, true_view
from .panel import Panel
from .projector import Projector

PANEL_AT_MM = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class MvShot:
    """One integrated image: the MU that were delivered while the panel collected, and through what."""

    mode: str
    mu: float
    truth: Instant
    seen: Instant
    aperture: Aperture = field(default_factory=Aperture)  # the true one
    binning: int = 1
    range_name: str = "wide"


@dataclass(slots=True, eq=False)
class MvImager:
    """The panel under the patient."""

    config: MvConfig
    projector: Projector
    patient: HiddenPose
    seed: int
    panel: Panel = field(init=False)
    frames: int = 0

    def __post_init__(self) -> None:
        self.panel = Panel(self.config.panel, self.seed, "MV")

    def collect(self, shot: MvShot) -> Frame:
        """The image of `mu`; ExposureRefused when there was none to collect."""
        spectrum = self._spectrum(shot)
        place = mv_nominal(shot.truth, self.config.sad_mm)
        if not to_panel_mm(place) > 0.0:
            raise ExposureRefused("MV imager: the panel stands in front of the source; move the arm to its place", "place")
        shape = self.panel.shape(shot.binning)
        view = true_view(place, self.config.flex, shot.truth, 0.0, shape)
        pose = self.patient.pose(shot.truth.time_s, shot.truth.couch)
        integrals = self.projector.integrals([view], [pose], spectrum)
        sad, width = self.config.sad_mm, self.config.penumbra_mm
        beam = open_share(shot.aperture, view, shot.truth.gantry_deg, sad, width, self.config.transmission)[None]
        number, self.frames = self.frames, self.frames + 1
        luck = 1.0 + self.config.output_jitter * float(normals(self.seed, f"MV output {number}", 1)[0])
        quanta = np.array([luck * self._air(shot, spectrum, to_panel_mm(place))])
        times = np.array([shot.truth.time_s])
        pixels = self.panel.read(integrals, beam, quanta, shot.binning, shot.range_name, times, [number])[0]
        return Frame(pixels, self._told(shot, number, shape, spectrum))

    def _spectrum(self, shot: MvShot) -> Spectrum:
        if shot.mode not in self.config.spectra:
            raise ExposureRefused(f"MV imager: no beam mode '{shot.mode}'; there are {', '.join(self.config.spectra)}")
        if not 0.0 < shot.mu < float("inf"):
            raise ExposureRefused(f"MV imager: {shot.mu} MU were delivered; an image needs more than 0", "nothing")
        return Spectrum(*self.config.spectra[shot.mode], self.config.quanta_per_mu_mm2)

    def _air(self, shot: MvShot, spectrum: Spectrum, distance_mm: float) -> float:
        """Detected quanta per pixel in the open field."""
        pitch = self.panel.shape(shot.binning)[2]
        return spectrum.quanta_per_mm2 * shot.mu * pitch**2 * (PANEL_AT_MM / distance_mm) ** 2

    def _told(self, shot: MvShot, number: int, shape: tuple[int, int, float], spectrum: Spectrum) -> Metadata:
        seen = shot.seen
        place = mv_nominal(seen, self.config.sad_mm)
        air = self._air(shot, spectrum, to_panel_mm(place)) * self.panel.per_quantum(shot.range_name, shape[2])
        return Metadata(
            "MV", number, seen.time_s, seen.gantry_deg, seen.gantry_deg, three(place[0]), three(place[1]), seen.couch, *shape,
            shot.binning, shot.range_name, air, mode=shot.mode, mu=shot.mu,
        )
