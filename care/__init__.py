"""Care for callers in danger: signs in what they say, whom to call, what the server itself says.

Pure; the data is read once. Nothing here keeps or logs what was said. docs/safety.md says what it does and cannot do.
"""

from care.ages import Age, adult_at, age_on
from care.helplines import Helpline, names_one, numbers
from care.listening import Listener
from care.pressure import Finding, pressure
from care.said import pressed, what_it_does
from care.signs import KINDS, Kind, Signs, Worried, shipped
from care.words import help_sentence, instructions, languages

__all__ = [
    "KINDS",
    "Age",
    "Finding",
    "Helpline",
    "Kind",
    "Listener",
    "Signs",
    "Worried",
    "adult_at",
    "age_on",
    "help_sentence",
    "instructions",
    "languages",
    "names_one",
    "numbers",
    "pressed",
    "pressure",
    "shipped",
    "what_it_does",
]
