"""The types of the fixtures `row` and `faults`."""

from collections.abc import Callable
from typing import Any, TypeAlias

from personas import Fault

Row: TypeAlias = dict[str, Any]
Make: TypeAlias = Callable[..., Row]
Read: TypeAlias = Callable[[object], tuple[Fault, ...]]
