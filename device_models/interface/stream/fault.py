"""One disturbance of a line, as data: what a fault schedule names and a disturbed stream carries out."""

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "loss", "corruption", "duplication", "reordering", "delay", "late_reply", "unanswered", "replay", "hang", "disconnect",
    "wrong_baud",
]
Way = Literal["to_device", "to_host"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WAYS: tuple[Way, ...] = get_args(Way)
OF_REPLIES = ("late_reply", "unanswered")  # these disturb what the device says, whatever `way` says


@dataclass(frozen=True, slots=True)
class LinkFault:
    """What happens to which frames. Frames count from 0, each way for itself, from the beginning of the stream."""

    kind: Kind
    way: Way = "to_device"
    chance: float = 1.0  # that it happens to a frame
    first: int = 0  # frame from which on
    times: int | None = None  # at most; None = until it is cleared
    frames: int = 1  # reordering, delay, late_reply: so many frames later; replay: so many frames old
    delay_s: float = 0.0  # delay, late_reply: in time instead of frames, where it is not 0
    bits: int = 1  # corruption: bits turned over in a frame
    sent_baud: int = 115200  # wrong_baud
    read_baud: int = 57600

    def __post_init__(self) -> None:
        limits = {"chance": (0, 1), "first": (0, 2**31), "frames": (1, 1000), "delay_s": (0, 3600), "bits": (1, 1000),
                  "sent_baud": (50, 20_000_000), "read_baud": (50, 20_000_000), "times": (1, 2**31)}
        if self.kind not in KINDS or self.way not in WAYS:
            raise ValueError(f"link fault {self.kind!r} {self.way!r}: known are {', '.join(KINDS)}; {', '.join(WAYS)}")
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise ValueError(f"link fault {self.kind}: {name} is {value}, not from {low} to {high}")

    @property
    def toward(self) -> Way:
        """The way of the frames that it disturbs."""
        if self.kind == "hang":
            return "to_device"  # it counts what the device does not read
        return "to_host" if self.kind in OF_REPLIES else self.way
