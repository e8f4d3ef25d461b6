"""From the first case to the last row: what is not in the ledger yet is done, and kept as it comes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from .case import Case
from .config import CampaignConfig
from .engine import Engine, Pace, batched
from .expand import static_cases
from .guided import Search
from .ledger import Ledger
from .modes import Catalogue
from .row import Row

BATCH_S = 1.0
FORK_BATCH_S = 4.0  # every batch runs its session anew up to the last instant that it branches at
FORK_BATCH = 32  # branches at least, where there are many: a session with images takes 10 s to its beam
SHARES = 16  # batches at least that a campaign comes in
Told = Callable[[list[Row]], None]


@dataclass(frozen=True, slots=True, eq=False)
class Campaign:
    """What was asked, and at most how many runs of it."""

    config: CampaignConfig
    catalogue: Catalogue
    limit: int | None = None

    def fixed(self) -> Iterator[Case]:
        """All but the guided search; with a limit, evenly spread over everything."""
        cases = static_cases(self.config, self.catalogue)
        if self.limit is None:
            return cases
        count = self._count()
        if self.limit >= count:
            return cases
        limit = self.limit
        return (case for case in cases if case.position * limit // count != (case.position - 1) * limit // count)

    def fixed_count(self) -> int:
        """How many these are."""
        return self._count() if self.limit is None else min(self.limit, self._count())

    def _count(self) -> int:
        return sum(1 for _ in static_cases(self.config, self.catalogue))

    @property
    def searched(self) -> int:
        """Runs of the guided search."""
        guided = self.config.guided
        if guided is None:
            return 0
        most = guided.generations * guided.runs
        return most if self.limit is None else max(0, min(most, self.limit - self.fixed_count()))

    def total(self) -> int:
        """Everything."""
        return self.fixed_count() + self.searched


def carry_out(campaign: Campaign, ledger: Ledger, engine: Callable[[], Engine], told: Told) -> None:
    """Everything that has no row yet. `engine` makes one for each stretch of work."""
    done, pace = ledger.done(), pace_of(campaign)
    work(ledger, engine, campaign.fixed(), done, pace, told)
    if campaign.searched:
        _search(campaign, ledger, engine, done, pace, told)


def pace_of(campaign: Campaign) -> Pace:
    """Branches come in larger batches; but not so large that some worker would have none."""
    if not campaign.config.fork:
        return Pace(BATCH_S)
    return Pace(FORK_BATCH_S, least=max(1, min(FORK_BATCH, campaign.total() // SHARES)))


def work(ledger: Ledger, engine: Callable[[], Engine], cases: Iterator[Case], done: set[str], pace: Pace, told: Told) -> None:
    """Rows into the ledger as they come."""
    left = (case for case in cases if case.id not in done)
    first = next(left, None)
    if first is None:
        return  # no workers for nothing
    for rows in engine().map(batched(_chain(first, left), pace)):
        ledger.add(rows)
        pace.heard(rows)
        told(rows)


def _chain(first: Case, others: Iterator[Case]) -> Iterator[Case]:
    yield first
    yield from others


def _search(campaign: Campaign, ledger: Ledger, engine: Callable[[], Engine], done: set[str], pace: Pace, told: Told) -> None:
    """Generation by generation: the next one follows from the rows of all before, whoever has done them and when."""
    search = Search(campaign.config, campaign.catalogue, sum(1 for _ in static_cases(campaign.config, campaign.catalogue)))
    left = campaign.searched
    while left > 0 and search.generation < (campaign.config.guided.generations if campaign.config.guided else 0):
        cases = list(islice(search.next(), left))
        work(ledger, engine, iter(cases), done, pace, told)
        known = {row.case_id: row for row in ledger.rows()}
        search.learn([known[case.id] for case in cases])
        left -= len(cases)
