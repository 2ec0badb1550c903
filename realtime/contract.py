"""The contract of ours that a prompt follows, so that the local engine obeys what a real model understands.

A line `Language: NAME (CODE).` names the language to speak (CODE is ISO 639-1), and a response whose instructions
hold SAY_EXACTLY is spoken word for word as what follows it, to the end of the instructions. One whose instructions
hold GO_ON is the rest of the answer whose beginning is the assistant's last turn.
"""

import re

SAY_EXACTLY = "Say exactly the following, and nothing else:"
GO_ON = "Your last answer was cut off by the line. Go on from exactly where it stopped, and repeat nothing of it."
LANGUAGE = re.compile(r"^Language: .+? \(([a-z]{2,3})\)\.", re.MULTILINE)


def language_of(instructions: str) -> str | None:
    """The ISO 639-1 code of the line `Language: NAME (CODE).`, None without one."""
    line = LANGUAGE.search(instructions)
    return line[1] if line else None
