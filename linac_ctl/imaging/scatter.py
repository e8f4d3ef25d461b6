"""What the controller knows about scatter. It goes INTO the reference; images of the patient are never repaired.

Scatter is taken as a wide blur of primary x line integral, scaled to a scatter-to-primary ratio behind the thickest part
of the image. Put into the reference, even a wrong ratio costs 0.1 mm; taken out of the images it costs up to 0.9 mm.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .geometry import Panel
from .smooth import blurred

Images = NDArray[np.float32]
THICK = 0.8  # quantile of the line integrals above which a ray counts as through the thickest part


@dataclass(frozen=True, slots=True)
class ScatterModel:
    """The ratio behind the thickest fifth of the image, and the width of the blur at the panel."""

    primary_ratio: float
    width_mm: float


def scattered(images: Images, panel: Panel, model: ScatterModel) -> Images:
    """(n, columns, rows) S / I0 for line integrals."""
    primary = np.exp(-images)
    blur = blurred(primary * images, model.width_mm / panel.pitch_u_mm, model.width_mm / panel.pitch_v_mm)
    return blur * _scale(images, primary, blur, model.primary_ratio)


def with_scatter(images: Images, panel: Panel, model: ScatterModel | None) -> Images:
    """What a panel would call the line integrals of an image that scatter has brightened."""
    if model is None:
        return images
    out: Images = -np.log(np.exp(-images) + scattered(images, panel, model))
    return out


def _scale(images: Images, primary: Images, blur: Images, ratio: float) -> Images:
    """(n, 1, 1) factor that gives the ratio in every image."""
    out = np.empty((len(images), 1, 1), np.float32)
    for k, image in enumerate(images):
        thick = image > np.quantile(image[::4, ::4], THICK)
        behind = float(blur[k][thick].mean()) if thick.any() else 0.0
        out[k] = ratio * float(primary[k][thick].mean()) / behind if behind > 0.0 else 0.0
    return out
