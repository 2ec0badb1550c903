"""Whom a caller who is a minor may call: nobody who costs money, and nobody who is for adults only.

Callers whose age is not known may call everybody. Pure: a wish says whether its caller is a minor.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from actors.messages.admission import Wish
from actors.messages.caller import Close, Notice
from personas import Catalogue, Persona
from schemas import Refused

NOT_FOR_MINORS: Final = "not_for_minors"
PARTING_SECONDS = 60.0  # to choose somebody else, where it became known in the middle of a call
LAST_SECONDS = 10.0  # then the call ends within so long, at a pause
ENDS = Notice(
    NOT_FOR_MINORS, "Nobody else was chosen: this call ends at the next pause. Thank you for talking with us."
)
CLOSE = Close(4403, "this astrologer cannot go on with this call")  # the log has it, and says nothing of an age
NOBODY = (
    "There is nobody here now whom young people can call. If something weighs on you, talk to a grown-up whom you "
    "trust."
)


def barred(wish: Wish, catalogue: Catalogue) -> frozenset[str]:
    """The ids of those whom the caller with this wish may not call because they are a minor."""
    return catalogue.not_for_minors if wish.minor else frozenset()


def allowed(
    fitting: tuple[Persona, ...], barred: Collection[str], catalogue: Catalogue, now: datetime
) -> tuple[Persona, ...]:
    """Those of them who are not barred. Raises Refused (not_for_minors) if all are."""
    if found := tuple(persona for persona in fitting if persona.id not in barred):
        return found
    raise Refused(NOT_FOR_MINORS, f"{_why(fitting[0])} {_instead(fitting[0], catalogue, now)}")


def parting(persona: Persona, catalogue: Catalogue, now: datetime) -> Notice:
    """What a caller is told who is on the line with somebody whom, as is known only now, they may not call."""
    said = f"{_why(persona)} Nothing more is charged, and you can talk on for a moment."
    return Notice(NOT_FOR_MINORS, f"{said} {_instead(persona, catalogue, now)}")


def _why(persona: Persona) -> str:
    reason = "what is spoken of there is for grown-ups" if persona.behaviour.adults_only else "these calls cost money"
    return f"{persona.name} does not take calls of people under age, because {reason}. It is not your fault."


def _instead(persona: Persona, catalogue: Catalogue, now: datetime) -> str:
    barred = catalogue.not_for_minors
    anybody = any(one.id not in barred for one in catalogue.open(now))
    return catalogue.advise(persona, now, engaged=barred) if anybody else NOBODY
