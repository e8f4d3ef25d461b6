"""Commands that are imported when they are called: `--help` answers without numpy, pydantic or pydicom."""

import difflib
import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click


class Target(NamedTuple):
    """Where a command lives ("module:attribute") and what it does, in one line."""

    where: str
    summary: str


class LazyGroup(click.Group):
    """A group that knows names and summaries, and imports the rest on demand."""

    def __init__(self, *args: Any, targets: Mapping[str, Target], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.targets = targets

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer meets them."""
        return list(self.targets)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one."""
        if cmd_name not in self.targets:
            return None
        module, attribute = self.targets[cmd_name].where.split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command named first; a usage error suggests the nearest name."""
        if args and not args[0].startswith("-") and args[0] not in self.targets:
            near = difflib.get_close_matches(args[0], self.targets, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"commands are {', '.join(self.targets)}"
            raise click.UsageError(f"no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table in `--help`, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, target.summary) for name, target in self.targets.items()])
