"""The tree of commands: each command is made when it is used, and refuses empty arguments.

Making a command means reading the types of its function, which takes a few milliseconds; making all of them takes longer than
most commands do.

An empty argument comes from a variable of the shell that is not set, as in `--section "$NAME"`. It must not mean the same
as an option that is not given: the command would print or write more than was asked for.

Boundary: makes commands from their definitions, and checks what the command line has; each command checks what its values
mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info, get_command_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typer.models import CommandInfo


class Command(TyperCommand):
    """A command that refuses empty arguments, as a usage error."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments of the command into the context."""
        rest = super().parse_args(ctx, args)
        _refuse_empty(ctx, self.params)
        return rest


class Commands(Mapping[str, Command]):
    """The commands by name, made from their definitions at the first use."""

    def __init__(self, definitions: Iterable[CommandInfo]) -> None:
        self._definitions = {_name(definition): definition for definition in definitions}
        self._made: dict[str, Command] = {}
        self._adapt: Callable[[str, Command], None] | None = None

    def adapt(self, adapt: Callable[[str, Command], None]) -> None:
        """Let `adapt(name, command)` change each command when it is made. Call this before the first use."""
        assert not self._made
        self._adapt = adapt

    def __getitem__(self, name: str) -> Command:
        if name not in self._made:
            definition = self._definitions[name]
            definition.cls = Command
            made = get_command_from_info(definition, pretty_exceptions_short=False, rich_markup_mode=None)
            assert isinstance(made, Command)
            if self._adapt is not None:
                self._adapt(name, made)
            self._made[name] = made
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._definitions)

    def __len__(self) -> int:
        return len(self._definitions)


class Group(TyperGroup):
    """The program itself: it refuses empty values of global options."""

    definitions: ClassVar[list[CommandInfo]] = []

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = Commands(self.definitions)  # type: ignore[assignment]  # it is only read

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the global options into the context."""
        rest = super().parse_args(ctx, args)
        _refuse_empty(ctx, self.params)
        return rest


def make_when_used(app: typer.Typer) -> None:
    """Let the `Group` of `app` make the registered commands. Otherwise, Typer makes all of them at the start."""
    Group.definitions = app.registered_commands
    app.registered_commands = []


def _name(definition: CommandInfo) -> str:
    assert definition.callback is not None
    return definition.name or get_command_name(definition.callback.__name__)


def _refuse_empty(context: Any, parameters: Iterable[Any]) -> None:
    for parameter in parameters:
        value = context.params.get(parameter.name)
        if value == "" or (isinstance(value, (list, tuple)) and "" in value):
            raise typer.BadParameter("it is empty", ctx=context, param=parameter)
