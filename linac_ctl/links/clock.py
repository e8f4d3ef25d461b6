"""A device's clock against ours, from the exchanges that were answered fastest."""

NS_PER_MS = 1_000_000
WINDOW = 200  # exchanges in which one of the fastest is looked for: a clock that drifts is followed


class DeviceClock:
    """Offset such that device ms + offset = our ms, by the middle of the exchange."""

    def __init__(self) -> None:
        self.offset_ms: float | None = None
        self.first: tuple[float, float] | None = None  # (our ms, offset then)
        self.last: tuple[float, float] | None = None
        self._best_ns, self._best_offset_ms, self._seen = 0, 0.0, 0

    def add(self, device_ms: int, sent_ns: int, came_ns: int) -> None:
        """One exchange."""
        trip_ns, middle_ms = came_ns - sent_ns, (sent_ns + came_ns) / 2 / NS_PER_MS
        if self._seen == 0 or trip_ns <= self._best_ns:
            self._best_ns, self._best_offset_ms = trip_ns, middle_ms - device_ms
        self._seen += 1
        if self.offset_ms is None or self._seen >= WINDOW:
            self.offset_ms, self._seen = self._best_offset_ms, 0
            self.last = (middle_ms, self.offset_ms)
            self.first = self.first or self.last

    def age_cycles(self, device_ms: int, now_ns: int, cycle_ms: int) -> int:
        """Whole cycles since a reading was taken; 0 for one that seems to come from the future."""
        if self.offset_ms is None:
            return 0
        return max(0, int((now_ns / NS_PER_MS - self.offset_ms - device_ms) // cycle_ms))

    @property
    def drift_ppm(self) -> float | None:
        """How much faster the device's clock runs than ours; None before there is a second to compare over."""
        if self.first is None or self.last is None or self.last[0] - self.first[0] < 1000.0:
            return None
        return round((self.first[1] - self.last[1]) / (self.last[0] - self.first[0]) * 1e6, 1)
