"""Commands and options whose help is plain text, as it stands.

Click tidies each help text with the module by which Python looks at source code, and looks for
translations of its own: a tenth of the start, for texts that are one line already.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_Decorated = Callable[..., Any]


class Option(click.Option):
    """An option whose help is one line."""

    def __init__(self, names: Any = None, **more: Any) -> None:
        """Takes what `click.Option` does."""
        text = more.pop("help", None)
        super().__init__(names, **more)
        self.help = text


def option(*names: str, **more: Any) -> Callable[[_Decorated], _Decorated]:
    """Decorate a command with an option, as `click.option` does."""
    return click.option(*names, cls=Option, **more)


def _show(context: click.Context, _parameter: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        click.echo(context.get_help(), color=context.color)
        context.exit()


class _Helping(click.Command):
    """A command that says in our words how it shows its help."""

    _own_help: click.Option | None = None

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Give the option that shows the help: one for as long as the command lives, as click
        tells options apart by what they are."""
        names = self.get_help_option_names(ctx)
        if not names or not self.add_help_option:
            return None
        if self._own_help is None:
            self._own_help = flag(*names, callback=_show, help="Show this message and exit.")
        return self._own_help


class Command(_Helping):
    """A command by itself."""


class Group(_Helping, click.Group):
    """A command that has others."""


def flag(*names: str, callback: Callable[..., None], **more: Any) -> Option:
    """Give an option that does something at once, and is nothing that a command is given."""
    named = [*names, "_" + names[-1].strip("-")]
    return Option(
        named, is_flag=True, is_eager=True, expose_value=False, callback=callback, **more
    )


def plugged_in(group: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Give for `shell_complete` what there is by an entry point group of `modelreach`."""

    def offer(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
        from modelreach import plugins

        return [name for name in plugins.names(f"modelreach.{group}") if name.startswith(begun)]

    return offer
