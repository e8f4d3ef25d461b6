"""A loaded file against its model: every problem on a line of its own, with the place where the value was written."""

import re
import typing
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..errors import ConfigError
from .files import Loaded, canonical_json
from .origin import Origin
from .suggest import did_you_mean

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[int | str, ...]


def validate(model: type[Model], loaded: Loaded) -> Model:
    """The file as a model, strictly (text is no number, nor the other way); ConfigError names every problem."""
    try:
        return model.model_validate_json(canonical_json(loaded.data), strict=True)
    except ValidationError as error:
        entries = own_problems([dict(entry) for entry in error.errors(include_url=False)])
        placed = [(*place(loaded, entry["loc"]), entry) for entry in entries]
        placed.sort(key=lambda item: (item[0].file, item[0].line, item[0].column))
        lines = [problem(model, *item) for item in placed]
        raise ConfigError("\n".join(dict.fromkeys(lines))) from None


def own_problems(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without "too short" of a list that is only short because its items were wrong."""
    inside = {entry["loc"][:i] for entry in entries for i in range(len(entry["loc"]))}
    return [entry for entry in entries if entry["type"] != "too_short" or entry["loc"] not in inside]


def problem(model: type[BaseModel], where: Origin, path: str, entry: dict[str, Any]) -> str:
    """`file:line:column: a.b.c: message (got x); did you mean y?`"""
    message = entry["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    head = f"{where}: {path or 'the file'}: "
    if entry["type"] == "missing":
        return f"{head}is missing{describe(model, entry['loc'])}"
    if entry["type"] == "extra_forbidden":
        key = str(entry["loc"][-1])
        hint = did_you_mean(key, keys_at(model, entry["loc"][:-1]))
        return f"{head}there is no such key{hint} (got {short(entry['input'])})"
    hint, got = "", f" (got {short(entry['input'])})"
    if entry["type"] in ("literal_error", "enum") and isinstance(entry["input"], str):
        hint = did_you_mean(entry["input"], re.findall(r"'([^']*)'", str(entry["ctx"]["expected"])))
    if isinstance(entry["input"], dict | list) and entry["type"] == "value_error":
        got = ""
    return f"{head}{message[:1].lower()}{message[1:]}{got}{hint}"


def short(value: Any) -> str:
    """A value for a message, cut at 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def place(loaded: Loaded, location: Location) -> tuple[Origin, str]:
    """Pydantic's location -> (where it was written, dotted path); parts that only pydantic knows are left out."""
    path = ""
    for i, part in enumerate(location):
        longer = f"{path}.{part}" if path else str(part)
        if longer in loaded.origin:
            path = longer
        elif i == len(location) - 1 and part != "[key]":  # missing: name it, and point at what should hold it
            return loaded.at(path), longer
    return loaded.at(path), path


def keys_at(model: type[BaseModel], location: Location) -> list[str]:
    """Names that may be written in the group at `location`."""
    return [field.alias or name for m in models_at(model, location) for name, field in m.model_fields.items()]


def describe(model: type[BaseModel], location: Location) -> str:
    """" (what the field is for)", if its model says."""
    for holder in models_at(model, location[:-1]):
        for name, field in holder.model_fields.items():
            if location[-1] in (name, field.alias) and field.description:
                return f" ({field.description})"
    return ""


def models_at(model: type[BaseModel], location: Location) -> list[type[BaseModel]]:
    """Models that can stand at `location`; list positions and free names of a dict do not change the model."""
    models = [model]
    for part in location:
        inner = [m for holder in models for m in inner_models(holder, part)]
        models = inner or models
    return models


def inner_models(model: type[BaseModel], part: int | str) -> list[type[BaseModel]]:
    """Models named in the type of one field."""
    for name, field in model.model_fields.items():
        if part in (name, field.alias):
            return models_in(field.annotation)
    return []


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """Every model in a type such as `dict[str, Mode] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for inside in typing.get_args(annotation) for m in models_in(inside)]
