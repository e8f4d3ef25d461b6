"""Every command that the pages show is one that the command line would take."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from linac_ctl.cli.main import cli
from tests.docs.pages import PAGES, blocks, name, spans

COMMAND = re.compile(r"^(?:\$ )?(?:\./linac|linac-ctl)((?: +\S.*)?)$")


def shown(path: Path) -> Iterator[str]:
    """Arguments of every `./linac` or `linac-ctl`, in blocks and in the text. `./linac test` belongs to pytest."""
    lines = [line for block in blocks(path, "", "text", "sh", "console", "bash") for line in block.splitlines()]
    for line in [*lines, *spans(path)]:
        found = COMMAND.match(line.strip())
        if found and not found[1].startswith((" test", ": ")) and not re.search(r" \.\.\.( |$)| COMMAND( |$)", found[1]):
            yield plain(found[1])


def plain(text: str) -> str:
    """Without optional parts in brackets, without what explains it, without what it is piped into."""
    while "[" in text:
        shorter = re.sub(r" *\[[^\[\]]*\]", "", text)
        if shorter == text:
            break
        text = shorter
    return re.split(r" \| | > | {2,}", text.strip())[0]


def parse(arguments: list[str]) -> None:
    """click's own parser, nothing executed."""
    context: click.Context | None = None
    command: click.Command = cli
    rest = list(arguments)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        context = click.Context(command, parent=context, info_name=command.name)
        found = command.get_command(context, rest[0])
        if found is None:
            raise click.UsageError(f"no command {rest[0]!r}", context)
        command, rest = found, rest[1:]
    if isinstance(command, click.Group) or not rest or {"--help", "--version"} & set(rest):
        return  # a command that is only mentioned
    command.make_context(command.name or "", rest, parent=context)


CASES = [pytest.param(text, id=f"{name(path)}: {text}") for path in PAGES for text in dict.fromkeys(shown(path))]


@pytest.mark.parametrize("text", CASES)
def test_the_command_line_takes_it(text: str) -> None:
    parse(shlex.split(text))


def test_there_are_commands_to_look_at() -> None:
    assert len(CASES) > 30


@pytest.mark.parametrize("wrong", [
    "run --sped 1", "plan shw x.dcm", "export RUN", "interlocks reset X --run r --who a --role king --reason b"])
def test_a_wrong_command_is_noticed(wrong: str) -> None:
    with pytest.raises(click.UsageError):
        parse(shlex.split(wrong))
