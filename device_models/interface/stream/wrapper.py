"""A stream around a stream: everything goes through, until a subclass does something on the way."""

from .contract import Loop, OnBytes, OnDown, Stream


class Wrapper:
    """Passes all on to `raw`."""

    def __init__(self, raw: Stream) -> None:
        self.raw = raw

    @property
    def up(self) -> bool:
        """Of the stream within."""
        return self.raw.up

    @property
    def why(self) -> str:
        """Of the stream within."""
        return self.raw.why

    @property
    def dropped(self) -> int:
        """Of the stream within."""
        return self.raw.dropped

    def write(self, frame: bytes) -> bool:
        """Whole frame or nothing."""
        return self.raw.write(frame)

    def read(self, timeout_s: float = 0.0) -> bytes:
        """What is there."""
        return self.raw.read(timeout_s)

    def attach(self, loop: Loop, on_bytes: OnBytes, on_down: OnDown) -> None:
        """Event driven from now on."""
        self.raw.attach(loop, on_bytes, on_down)

    def detach(self) -> None:
        """Neither callback is called any more."""
        self.raw.detach()

    def close(self) -> None:
        """Give the line back."""
        self.raw.close()

    def fileno(self) -> int:
        """Of the stream within."""
        return self.raw.fileno()
