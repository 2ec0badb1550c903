"""The user id in the address of a call."""

import re
import unicodedata

LONGEST = 128  # characters

_USER_ID = re.compile(r"[\w.:@+|-]+")
_PARENTS = (".", "..")  # a client, or a proxy, takes them out of a path
_JOINERS = re.compile(
    "(?<=[^\u200c\u200d])[\u200c\u200d](?=[^\u200c\u200d])"
)  # between two letters, as Hindi, Sinhala and Persian are written


def read_user_id(text: str) -> str:
    """The id in Unicode's composed form (NFC), so that a name is one user however it is typed; raises ValueError.

    Marks count as letters, which they do not in a regular expression: no Hindi name is written without vowel signs.
    """
    user = unicodedata.normalize("NFC", text)
    letters = "".join(one for one in _JOINERS.sub("", user) if unicodedata.category(one)[0] != "M")
    if len(user) > LONGEST or not _USER_ID.fullmatch(letters) or user in _PARENTS:
        raise ValueError(f"The user id may hold letters, digits and . : @ + - _ |, at most {LONGEST}.")
    return user
