"""A dataclass of settings as a command's options, and as a table of docs/operations.md."""

import functools
import inspect
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import typer

from actors.setting import Setting

S = TypeVar("S")
STRINGS = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Declared:
    """A field that is a setting: its name, the type of its values, its default, and the rest of its declaration."""

    name: str
    type: Any
    default: Any
    setting: Setting

    @property
    def variable(self) -> str:
        """The environment variable."""
        return self.setting.variable or self.name.upper()

    @property
    def flag(self) -> str:
        """The option, as it is typed."""
        return f"--{self.name.replace('_', '-')}"

    def option(self) -> Any:
        """The option for typer."""
        setting = self.setting
        return typer.Option(
            self.flag, envvar=self.variable, help=setting.help, min=setting.least, max=setting.most, **setting.option
        )

    def parameter(self) -> inspect.Parameter:
        """The option as a parameter of a command: typer has lists for tuples of any length."""
        kind: Any = list[str] | None if self.type == STRINGS else self.type
        default = None if self.type == STRINGS else self.default
        annotation = Annotated[kind, self.option()]
        return inspect.Parameter(self.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)

    def value(self, options: Mapping[str, Any]) -> Any:
        """The value that was given, or the default."""
        if self.setting.secret:
            return os.environ.get(self.variable, self.default)
        value = options[self.name]
        return tuple(value or ()) if self.type == STRINGS else value


def declared(settings: type) -> Iterator[Declared]:
    """Each setting of a dataclass, and of the dataclasses that are its fields, in order."""
    hints = get_type_hints(settings, include_extras=True)
    for field in fields(settings):
        if is_dataclass(hints[field.name]):
            yield from declared(hints[field.name])
        elif found := _declared(field, hints[field.name]):
            yield found


def _declared(field: Field[Any], hint: Any) -> Declared | None:
    kind, *extras = get_args(hint) or (hint,)
    for extra in extras:
        if isinstance(extra, Setting):
            return Declared(field.name, kind, field.default, extra)
    return None


def option(settings: type, name: str) -> Any:
    """The option of one setting, for a command that shares it."""
    return next(one.option() for one in declared(settings) if one.name == name)


def with_options(settings: type[S]) -> Callable[[Callable[[S], None]], Callable[..., None]]:
    """Make a command of a function of settings: typer reads the options from the signature, one for each setting."""

    def wrap(command: Callable[[S], None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**options: Any) -> None:
            command(read(settings, options))

        parameters = [one.parameter() for one in declared(settings) if not one.setting.secret]
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        return run

    return wrap


def read(settings: type[S], options: Mapping[str, Any]) -> S:
    """The settings that these options say; the secrets come from the environment."""
    hints, values = get_type_hints(settings, include_extras=True), {}
    for field in fields(settings):  # type: ignore[arg-type]
        hint = hints[field.name]
        if isinstance(hint, type) and is_dataclass(hint):
            values[field.name] = read(hint, options)
        elif found := _declared(field, hint):
            values[field.name] = found.value(options)
    return settings(**values)


def table(settings: type) -> str:
    """The settings as a table in Markdown, a row for each."""
    rows = ["| option | environment | default | at least | |", "|---|---|---|---|---|"]
    for one in declared(settings):
        flag = "" if one.setting.secret else f"`{one.flag}`"
        cells = (flag, f"`{one.variable}`", _shown(one.default), _shown(one.setting.least), one.setting.doc)
        rows.append("|".join(["", *(f" {cell} " if cell else " " for cell in cells), ""]))
    return "\n".join(rows)


def _shown(value: Any) -> str:
    match value:
        case None | "" | ():
            return ""
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:g}"
        case Path():
            return value.name
        case Enum():
            return str(value.value)
        case _:
            return str(value)


def environment(settings: Any) -> dict[str, str]:
    """The variables that say these settings, secrets too; what is empty is left out, as if nobody had said it.

    A server that is started with them, and with no other variable of a setting, has the same settings.
    """
    said: dict[str, str] = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if is_dataclass(value):
            said |= environment(value)
        elif (found := _declared(field, get_type_hints(type(settings), include_extras=True)[field.name])) and (
            text := _said(value)
        ):
            said[found.variable] = text
    return said


def _said(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else ""
        case tuple():
            return " ".join(value)
        case Enum():
            return str(value.value)
        case _:
            return str(value)
