"""Every `onbrand` command on the pages is one that exists, with options that exist."""

from __future__ import annotations

import shlex

import pytest
import typer

from docs_samples import Block, blocks, commands
from onbrand_cli.app import app

SHELL = [block for language in ("console", "sh", "yaml") for block in blocks(language)]
COMMANDS = [
    pytest.param(arguments, id=f"{block} {shlex.join(arguments)}")
    for block in SHELL
    for arguments in commands(block)
]


COMMAND = typer.main.get_command(app)


def parse(arguments: list[str]) -> None:
    """Parse the arguments down to the last command without running anything."""
    command, context = COMMAND, None
    while True:
        context = command.make_context(command.name or "onbrand", list(arguments), parent=context)
        if not hasattr(command, "resolve_command"):
            return
        rest = [*context._protected_args, *context.args]
        if not rest:  # a group that does something by itself
            return
        _, command, arguments = command.resolve_command(context, rest)


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_command_on_a_page_parses(arguments: list[str]) -> None:
    try:
        parse(arguments)
    except typer.Exit as exit_:  # --help and --version end the parsing
        assert exit_.exit_code == 0


def test_the_readme_shows_commands() -> None:
    shown = [c for block in SHELL if block.page == "README.md" for c in commands(block)]
    assert len(shown) > 5


@pytest.mark.parametrize(
    "wrong", [["chekc", "a.md"], ["check", "--bran", "acme"], ["check", "--format", "xml", "a.md"]]
)
def test_wrong_commands_do_not_parse(wrong: list[str]) -> None:
    with pytest.raises(Exception, match=r"(?i)no such (command|option)|not one of"):
        parse(wrong)


def test_commands_are_found_in_pipes_and_behind_paths() -> None:
    sample = "$ cat a.md | onbrand check - && .venv/bin/onbrand gate a.md\nonbrand: no prompt\n"
    found = list(commands(Block("x.md", 1, "console", sample)))
    assert found == [["check", "-"], ["gate", "a.md"]]
