"""The user as whom a process goes on that root has started."""

from dataclasses import dataclass
from typing import Self

NOBODY = "nobody"
OVERFLOW = 65534  # the kernel's own number for nobody, where no file says who that is


class Unknown(ValueError):
    """There is no user of that name."""


@dataclass(frozen=True, slots=True)
class User:
    """A user and their group, by number."""

    uid: int
    gid: int

    def __str__(self) -> str:
        return f"{self.uid}:{self.gid}"

    @classmethod
    def parsed(cls, text: str) -> Self:
        """The user whom `str` has written as UID:GID."""
        uid, _, gid = text.partition(":")
        return cls(int(uid), int(gid))


def user_named(name: str) -> User:
    """The user with this name or number; their group is their own, for a number the same number. Raises Unknown."""
    import pwd

    try:
        entry = pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
    except (KeyError, OverflowError):
        if name == NOBODY:
            return User(OVERFLOW, OVERFLOW)
        if name.isdecimal() and int(name) < 2**32 - 1:
            return User(int(name), int(name))
        raise Unknown(f"There is no user {name!r}.") from None
    return User(entry.pw_uid, entry.pw_gid)
