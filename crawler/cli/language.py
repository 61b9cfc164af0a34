"""The help of the commands in the language of the environment (LANG, LC_MESSAGES, LC_ALL or LANGUAGE).

The help of `vna` and of the commands in `READERS` is translated completely. The others have a translated summary only.
Messages and data stay in English, because scripts may read them.

Boundary: changes the texts of commands; the commands themselves are defined in the other modules.
"""

from __future__ import annotations

import gettext
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LOCALE = Path(__file__).parent / "locale"
DOMAIN = "vna"
#: The commands that only read an archive.
READERS = (
    *("latest", "show", "search", "history", "changes", "similar", "cite", "evidence"),
    *("export", "feed", "browse", "coverage", "status", "verify"),
)
USAGE, HELP_OPTION, COMMAND = "Usage: ", "Show this message and exit.", "COMMAND [ARGS]..."
#: Texts of Typer, which looks them up in the default domain of gettext.
_TYPER = ("Options", "Commands", "Arguments", "required", "default: {default}", "env var: {var}")


def translation() -> gettext.GNUTranslations | None:
    """Return the translation for the language of the environment; None for English and for other languages."""
    found = gettext.translation(DOMAIN, LOCALE, fallback=True)
    return found if isinstance(found, gettext.GNUTranslations) else None


def translate(command: Any, found: gettext.GNUTranslations) -> None:
    """Translate the help of a group of commands."""
    gettext.bindtextdomain(DOMAIN, LOCALE)
    gettext.textdomain(DOMAIN)  # for the texts of Typer
    _translate_command(command, found)
    command.subcommand_metavar = found.gettext(COMMAND)

    def adapt(name: str, one: Any) -> None:
        if name in READERS:
            _translate_command(one, found)
        else:
            one.short_help = found.gettext(summary(one))

    command.commands.adapt(adapt)


def texts(command: Any) -> Iterator[str]:
    """Yield the texts that a translation must contain."""
    yield from (USAGE, HELP_OPTION, COMMAND, *_TYPER)
    yield from _texts_of(command)
    for name, one in command.commands.items():
        yield from _texts_of(one) if name in READERS else (summary(one),)


def summary(command: Any) -> str:
    """Return the first paragraph of the help of a command as one line."""
    return " ".join(command.help.partition("\n\n")[0].split())


def _texts_of(command: Any) -> Iterator[str]:
    yield command.help
    yield from (parameter.help for parameter in command.params if getattr(parameter, "help", None))


def _translate_command(command: Any, found: gettext.GNUTranslations) -> None:
    command.help = found.gettext(command.help)
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = found.gettext(parameter.help)

    def format_usage(context: Any, formatter: Any) -> None:
        pieces = command.collect_usage_pieces(context)
        formatter.write_usage(context.command_path, " ".join(pieces), prefix=found.gettext(USAGE))

    original = command.get_help_option

    def help_option(context: Any) -> Any:
        option = original(context)
        if option is not None:
            option.help = found.gettext(HELP_OPTION)
        return option

    command.format_usage, command.get_help_option = format_usage, help_option
