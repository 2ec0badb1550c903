"""The scripts that run in Redis, each of which is one step there. All keys of a script share one slot of a cluster.

Their first line lets Redis refuse a script as a whole when it is full or may not write.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Script:
    """One file of this folder; `sha` is the name by which Redis knows it once it has run."""

    name: str
    text: str
    sha: str


@cache
def script(name: str) -> Script:
    """The script NAME.lua."""
    text = resources.files(__name__).joinpath(f"{name}.lua").read_text()
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
