"""A user's project in a folder of its own, with linac-ctl's plugin and nothing else of ours."""

import pytest

from device_models.interface.compiled import cache_home
from tests.contracts.sources import ROOT

CACHE = cache_home()
PLUGIN = "linac_ctl.testing.plugin"


@pytest.fixture
def project(pytester, monkeypatch):
    """Runs a user's test file in a process of its own. In a checkout there is no entry point, so the plugin is named."""
    def run(source: str, *options: str, ini: str = ""):
        pytester.makepyfile(source)
        pytester.makeini(f"[pytest]\n{ini}\n")
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        monkeypatch.setenv("LINAC_CTL_CACHE_DIR", str(CACHE))  # pytester moves HOME; machine code is made once all the same
        return pytester.runpytest_subprocess("-p", PLUGIN, "-p", "no:cacheprovider", *options, timeout=280)

    return run
