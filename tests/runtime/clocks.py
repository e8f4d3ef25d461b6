"""A clock that tests own: time passes only by sleeping, and by work that the test says is done."""

NS = 1_000_000_000


class FakeClock:
    """Stands in for the module `time`."""

    def __init__(self, wake_late_ns: int = 0) -> None:
        self.now_ns, self.wake_late_ns, self.slept = 5 * NS, wake_late_ns, 0

    def monotonic_ns(self) -> int:
        """Now."""
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        """Sleeps as long as asked, and a little longer if told so."""
        self.slept += 1
        self.now_ns += round(seconds * NS) + self.wake_late_ns

    def work(self, seconds: float) -> None:
        """Something took this long."""
        self.now_ns += round(seconds * NS)
