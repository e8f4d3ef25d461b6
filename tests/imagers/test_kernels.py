"""Kernels of the images: a cache of their own, only where its key looks, and nothing computed from what is not finite."""

import numpy as np
import pytest

from device_models.interface import compiled, kernels
from tests.contracts.sources import files, imported, name


def test_the_images_and_the_scan_cycle_do_not_share_a_cache():
    images, cycle = set(kernels.imaging_files()), set(compiled.source_files())
    assert not images & cycle and len(images) > 20
    assert compiled.source_key() not in kernels.CACHE
    here = str(compiled.cache_home() / compiled.source_key())
    assert here == compiled.numba.config.CACHE_DIR


@pytest.mark.parametrize("path", files(), ids=name)
def test_kernels_are_only_where_the_key_of_their_cache_looks(path):
    uses = imported(path) & {f"device_models.interface.kernels.{kind}" for kind in ("kernel", "parallel_kernel", "inlined")}
    is_image = path.resolve() in kernels.imaging_files()
    assert is_image or not uses
    assert not (is_image and "device_models.interface.compiled.compiled" in imported(path))


def test_the_key_sees_an_edit(tmp_path, monkeypatch):
    before = kernels.imaging_key()
    edited = tmp_path / "new.py"
    edited.write_text("x = 1")
    monkeypatch.setattr(kernels, "imaging_files", lambda: [edited])
    assert kernels.imaging_key() != before


@pytest.mark.parametrize("asked, least, most", [("1", 1, 1), ("", 1, 4096), ("0", 1, 4096), ("many", 1, 4096), ("100000", 1, 4096)])
def test_threads_are_those_asked_for_at_most(monkeypatch, asked, least, most):
    monkeypatch.setenv("LINAC_CTL_THREADS", asked)
    assert least <= kernels.threads() <= most


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_named(bad):
    kernels.finite("x", a=1.0, b=np.zeros(3))
    with pytest.raises(ValueError, match="projector: pose is not finite"):
        kernels.finite("projector", a=1.0, pose=np.array([0.0, bad]))
