"""What an imager does not do."""


class ExposureRefused(ValueError):
    """No radiation and no image: the generator or the panel says why, with the number, the limit and what to do."""
