"""The environment of a child process: what it needs, by name, and so none of the server's keys."""

import os
import sys

NEEDED = ("PATH", "LD_LIBRARY_PATH")


def clean_environment(*names: str, prefixes: tuple[str, ...] = ()) -> dict[str, str]:
    """The variables of this process with these names or prefixes, and what every child needs: its import path too."""
    path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    wanted = {*NEEDED, *names}
    found = {name: value for name, value in os.environ.items() if name in wanted or name.startswith(prefixes)}
    return {"PYTHONPATH": path} | found
