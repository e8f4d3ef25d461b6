"""What an imager does not do."""


class ExposureRefused(ValueError):
    """No radiation and no image: the generator or the panel says why, with the number, the limit and what to do.

    `why`: the same as one word of the wire protocol.
    """

    def __init__(self, words: str, why: str = "settings") -> None:
        super().__init__(words)
        self.why = why
