"""What the command calls itself: as it was started."""

import sys
from pathlib import PurePath

SCRIPT = "persona-voice-server"  # as setup.cfg names it


def command_name(started_as: str) -> str:
    """The name of the script that a wheel installs if this started it, else how the module is run."""
    return SCRIPT if PurePath(started_as).name.removesuffix(".exe") == SCRIPT else "python -m supervisor"


COMMAND = command_name(sys.argv[0])
START = "make run" if COMMAND != SCRIPT else f"{SCRIPT} serve"
"""How a server is started by whoever runs this command."""
