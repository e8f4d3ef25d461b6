"""The pytest plugin `linac-ctl`: fixtures linac, new_linac, inject, operator, referee; the mark `linac`; what a failed test tells.

Loaded with every pytest of an environment that has linac-ctl, so nothing but pytest is imported until a fixture is wanted.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .injected import Injected
    from .operator import Operator
    from .referee import Referee
    from .rig import Rig

MARK = """linac(session, machine, workflow, plan, seed, without, faults, armed, referee): what the fixture `linac` runs: names or \
files of configurations; `without` takes rows out of the interlock table; `faults` is a schedule, `armed` lets a test inject \
some; `referee` "watch" lets a run go on that violates a property"""
RIGS: pytest.StashKey[Any] = pytest.StashKey()  # list of Rig
FAILED: pytest.StashKey[bool] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where run folders go, and which of them stay."""
    group = parser.getgroup("linac-ctl", "linac-ctl, a simulated linear accelerator")
    group.addoption("--linac-artefacts", metavar="DIR", help="Folder for run folders of failed tests (default: pytest's own).")
    group.addoption("--linac-keep", choices=("failed", "all"), default="failed", help="Which run folders stay (default: failed).")


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of our mark."""
    config.addinivalue_line("markers", MARK)


@pytest.fixture
def new_linac(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Callable[..., Rig]]":
    """Makes machines, for tests that need more than one: `new_linac(session="box", without="MLC_POS")`.

    What is not said is taken from the test's mark. Raises what `linac-ctl run` would say, such as a PlanError.
    """
    from .artefacts import folder_for, powered_up
    from .orders import order_of, schedule_of, wanted

    base = artefacts(request.config, tmp_path_factory)
    rigs: list[Rig] = []
    request.node.stash[RIGS] = rigs

    def make(**given: Any) -> "Rig":
        __tracebackhide__ = True
        asked, beside = wanted(marked(request.node) | given), request.path.parent
        faults = schedule_of(asked, beside, armed="inject" in request.fixturenames)
        folder = folder_for(base, request.node.nodeid, len(rigs) + 1)
        rigs.append(powered_up(order_of(asked, beside), folder, faults, beside))
        return rigs[-1]

    yield make
    put_away(request.node, rigs)


@pytest.fixture
def linac(new_linac: "Callable[..., Rig]") -> "Rig":
    """One machine in virtual time, powered up, its session about to begin; what it runs is said by `@pytest.mark.linac(...)`."""
    from ..errors import LinacError

    try:
        return new_linac()
    except LinacError as error:
        pytest.fail(f"linac: {error}", pytrace=False)


@pytest.fixture
def operator(linac: "Rig") -> "Operator":
    """Somebody's hands: `operator.open_door()`, `operator.press_stop()`."""
    from .operator import Operator

    return Operator(linac)


@pytest.fixture
def inject(linac: "Rig") -> "Callable[..., Injected]":
    """Makes something go wrong: `inject("ACT-04", leaf=17)`. A test without this fixture has a machine that is not armed."""
    return linac.inject


@pytest.fixture
def referee(request: pytest.FixtureRequest, linac: "Rig") -> "Iterator[Referee]":
    """Who judges what was really so: `referee.passes()` at the end of a test. One that is never asked fails the test."""
    yield linac.referee
    if not linac.referee.asked and not request.node.stash.get(FAILED, False):
        pytest.fail("referee: was never asked; end the test with referee.passes(), or look at referee.violated", pytrace=False)


def marked(item: pytest.Item) -> dict[str, Any]:
    """What marks of module, class and test say together; the nearest has the last word."""
    given: dict[str, Any] = {}
    for mark in reversed(list(item.iter_markers("linac"))):
        if mark.args:
            pytest.fail("mark linac: say it by name, as in linac(session='box')", pytrace=False)
        given |= mark.kwargs
    return given


def artefacts(config: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder for run folders."""
    asked = config.getoption("--linac-artefacts")
    return Path(asked).resolve() if asked else tmp_path_factory.getbasetemp() / "linac"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """A failed test tells what its machines had to say."""
    report = yield
    if report.when == "call" and report.failed and item.stash.get(RIGS, []):
        item.stash[FAILED] = True
        report.sections += [(f"linac {i}" if i > 1 else "linac", told(rig)) for i, rig in enumerate(item.stash[RIGS], 1)]
    return report


def told(rig: "Rig") -> str:
    """Its story. A machine that a test has taken apart must not take pytest with it."""
    from .artefacts import story

    try:
        return story(rig)
    except Exception as error:
        return f"cannot be told: {type(error).__name__}: {error}"


def put_away(item: pytest.Item, rigs: "list[Rig]") -> None:
    """Close all machines; complete the records that stay."""
    from .artefacts import drop, keep

    stays = item.stash.get(FAILED, False) or item.config.getoption("--linac-keep") == "all"
    for rig in rigs:
        try:
            (keep if stays else drop)(rig)
        finally:
            rig.close()
