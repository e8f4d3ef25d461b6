"""What all classes of result.json have in common."""

from typing import Any

from pydantic import ConfigDict, Field


def described(text: str) -> Any:
    """What the schema says of a field."""
    return Field(description=text)


class Strict:
    """No other keys than those named; what is no number is null."""

    __pydantic_config__ = ConfigDict(extra="forbid", ser_json_inf_nan="null")
