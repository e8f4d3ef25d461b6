"""Workers on other computers, by Dask distributed (the extra `dask`). A worker needs this wheel and nothing else of ours."""

from collections.abc import Iterator
from typing import Any

from ..errors import EngineError
from ..version import code_version
from .engine import Batch, Work
from .row import Row, crashed

PATIENCE_S = 10.0
IN_FLIGHT = 3  # batches for each thread of a worker


class DaskEngine:
    """A scheduler somewhere else, with workers of exactly this code."""

    def __init__(self, work: Work, scheduler: str, patience_s: float = PATIENCE_S) -> None:
        self.work, self.scheduler = work, scheduler
        self.client = connected(scheduler, patience_s)
        try:
            self.threads = agreed(self.client, scheduler, patience_s)
        except BaseException:
            self.client.close()
            raise

    def map(self, batches: Iterator[Batch]) -> Iterator[list[Row]]:
        """See `Engine`."""
        from distributed import as_completed

        try:
            first = [self._submit(batch) for _, batch in zip(range(IN_FLIGHT * self.threads), batches)]
            for future in (flying := as_completed(first, loop=self.client.loop)):
                yield from self._rows(future, flying)
                if (batch := next(batches, None)) is not None:
                    flying.add(self._submit(batch))
        finally:
            self.client.close()

    def _submit(self, batch: Batch) -> Any:
        future = self.client.submit(self.work, batch, pure=False)  # pure: the same key would mean the same result
        future.batch = batch
        return future

    def _rows(self, future: Any, flying: Any) -> Iterator[list[Row]]:
        """A batch that killed its workers is done again run by run, until the one that does it is known."""
        from distributed import KilledWorker

        try:
            yield future.result()
        except KilledWorker as killed:
            if len(future.batch) == 1:
                why = f"its worker died {killed.allowed_failures + 1} times; run it alone to see why"
                yield [crashed(future.batch[0], killed.allowed_failures + 1, why, code_version())]
            for case in future.batch if len(future.batch) > 1 else ():
                flying.add(self._submit((case,)))
        except (OSError, RuntimeError) as error:
            raise EngineError(f"dask: the scheduler at {self.scheduler} was lost: {error}; every run in the ledger is kept; start "
                              "it again, then `linac-ctl campaign resume`") from None


def connected(scheduler: str, patience_s: float) -> Any:
    """A client; EngineError when Dask is not installed or nobody answers."""
    try:
        from distributed import Client
    except ImportError:
        raise EngineError("--engine dask: Dask is not installed here; pip install 'linac-ctl[dask]', "
                          "or leave --engine out") from None
    try:
        return Client(scheduler, timeout=patience_s, set_as_default=False)
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise EngineError(f"dask: no scheduler at {scheduler} within {patience_s:g} s: {text}; start one with `dask scheduler`, "
                          "and workers with `dask worker`") from None


def agreed(client: Any, scheduler: str, patience_s: float) -> int:
    """Threads of all workers; EngineError when there is none, or one of other code."""
    try:
        client.wait_for_workers(1, timeout=patience_s)
    except TimeoutError:
        raise EngineError(f"dask: the scheduler at {scheduler} has no workers after {patience_s:g} s; start some with "
                          f"`dask worker {scheduler}`") from None
    try:
        versions = client.run(code_version)
    except Exception as error:  # whatever a worker without us raises comes through here
        raise EngineError(f"dask: a worker of {scheduler} cannot import this linac-ctl: {error}; install the same wheel "
                          f"({code_version()}) there") from None
    for worker, version in sorted(versions.items()):
        if version != code_version():
            raise EngineError(f"dask: worker {worker} of {scheduler} has code {version}, this is {code_version()}; install the "
                              "same wheel on all of them")
    return max(1, int(sum(client.nthreads().values())))
