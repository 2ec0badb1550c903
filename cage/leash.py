"""Runs a command that does not outlive whoever started it: `python -m cage.leash SIGNAL COMMAND [ARGUMENT ...]`.

For programs of others, which do not notice that their stdin is closed. SIGNAL is a number.
"""

import os
import sys
from contextlib import suppress

from cage import kernel


def main() -> None:
    """Become the command, once the kernel knows which signal it gets when the thread that started this ends."""
    number, *command = sys.argv[1:]
    parent = os.getppid()
    with suppress(OSError):  # a system without it
        kernel.die_with_parent(int(number))
    if os.getppid() == parent:  # else it has died meanwhile
        os.execvp(command[0], command)


if __name__ == "__main__":
    main()
