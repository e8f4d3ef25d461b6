"""What a link has been like: for its interlocks while it runs, and for the record afterwards."""

from dataclasses import dataclass, field

SECOND = 100  # cycles


@dataclass(slots=True)
class Recent:
    """How many in about the last second: every cycle takes a hundredth away only after a second without any."""

    cycles: list[int] = field(default_factory=list)

    def add(self, cycle: int, n: int) -> None:
        """n more in this cycle."""
        self.cycles += [cycle] * min(n, SECOND)

    def count(self, cycle: int) -> int:
        """In the last second."""
        if self.cycles and self.cycles[0] <= cycle - SECOND:
            self.cycles = [c for c in self.cycles if c > cycle - SECOND]
        return len(self.cycles)


@dataclass(slots=True)
class LinkStats:
    """Counters of one link since the start."""

    sent: int = 0
    unsent: int = 0  # the line was full: the device does not read
    answered: int = 0
    missed_cycles: int = 0  # cycles without a new reading
    refused: int = 0
    invalid: int = 0
    repeated: int = 0
    old: int = 0
    events: int = 0
    restarts: int = 0
    longest_silence_cycles: int = 0
    latency_us: list[int] = field(default_factory=lambda: [0] * 501)  # histogram, 100 us each, the last takes all above
    worst_latency_us: int = 0
    last_refusal: str = ""

    def add_latency(self, us: int) -> None:
        """Of one answer."""
        self.latency_us[min(max(us, 0) // 100, 500)] += 1
        self.worst_latency_us = max(self.worst_latency_us, us)

    def quantile_us(self, share: float) -> float:
        """Latency that this share of all answers stayed below, to the next 100 us; 0.0 without any."""
        wanted, seen = share * sum(self.latency_us), 0
        for i, n in enumerate(self.latency_us):
            seen += n
            if n and seen >= wanted:
                return float(min((i + 1) * 100, self.worst_latency_us))
        return 0.0
