"""The check of all commands that no argument is empty.

An empty argument comes from a variable of the shell that is not set, as in `--section "$NAME"`. It must not mean the same
as an option that is not given: the command would print or write more than was asked for.

Boundary: checks what the command line has; each command checks what its values mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

if TYPE_CHECKING:
    from collections.abc import Iterable


class Command(TyperCommand):
    """A command that refuses empty arguments, as a usage error."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments of the command into the context."""
        rest = super().parse_args(ctx, args)
        _refuse_empty(ctx, self.params)
        return rest


class Group(TyperGroup):
    """The program itself: it refuses empty values of global options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the global options into the context."""
        rest = super().parse_args(ctx, args)
        _refuse_empty(ctx, self.params)
        return rest


def use(app: typer.Typer) -> None:
    """Let all registered commands refuse empty arguments."""
    for registered in app.registered_commands:
        registered.cls = Command


def _refuse_empty(context: Any, parameters: Iterable[Any]) -> None:
    for parameter in parameters:
        value = context.params.get(parameter.name)
        if value == "" or (isinstance(value, (list, tuple)) and "" in value):
            raise typer.BadParameter("it is empty", ctx=context, param=parameter)
