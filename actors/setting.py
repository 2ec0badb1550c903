"""How a setting of the server is declared, once: beside the field that holds it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Declares that a field is a setting: `Annotated[TYPE, Setting(...)]`.

    The option of `serve`, its environment variable and its row in docs/operations.md are made from the field.
    """

    help: str | None = None
    """One line for `--help`."""
    doc: str = ""
    """The description in docs/operations.md, in Markdown."""
    least: float | None = None
    most: float | None = None
    variable: str = ""
    """The environment variable; by default the name of the field in capitals."""
    secret: bool = False
    """True if it is read from the environment only, and has no option."""
    option: Mapping[str, Any] = field(default_factory=dict)
    """Further keyword arguments of `typer.Option`."""
