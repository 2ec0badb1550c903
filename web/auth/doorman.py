"""Decides of each connection who calls, by the token that it brings; nothing is spent before that."""

from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from actors.messages.caller import Close
from actors.messages.identity import Identity
from register import RegisterAway
from web.auth.call_tokens import PREFIX, CallTokens
from web.auth.logins import Logins
from web.auth.presented import presented
from web.auth.refusal import CANNOT_TELL, IN_ADDRESS, NO_TOKEN, OTHER_USER, REVOKED, UNKNOWN, USED, TurnedAway
from web.auth.revoked import Revoked
from web.auth.used_tokens import MemoryUsedTokens, UsedTokens


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who calls. `token_id` and `expires` are those of a token that is good for one call."""

    identity: Identity
    token_id: str = ""
    expires: int = 0


class Doorman(Protocol):
    """Knows who may come in."""

    async def identify(self, request: web.BaseRequest, user: str) -> Visitor | Close:
        """Who this user of an address is, or why they may not come in. Spends nothing."""
        ...

    async def admit(self, visitor: Visitor) -> Close | None:
        """The visitor's call is about to begin: counts a token that is good for one. Returns why it is not."""
        ...

    def heard(self, visitor: Visitor) -> None:
        """The visitor has said something."""
        ...


class OpenDoor:
    """Whoever reaches the server may call, as whom they like."""

    async def identify(self, request: web.BaseRequest, user: str) -> Visitor | Close:
        """The user that the address names."""
        return Visitor(Identity(user))

    async def admit(self, visitor: Visitor) -> Close | None:
        """Everybody is."""
        return None

    def heard(self, visitor: Visitor) -> None:
        """It is no matter."""


class RevokedNow(Protocol):
    """The list of those who are revoked, as it is now."""

    @property
    def value(self) -> Revoked | None:
        """None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class ClosedDoor:
    """Who brings a good token may call: one of a call, or of a login. Either kind may not be served."""

    calls: CallTokens | None = None
    logins: Logins | None = None
    revoked: RevokedNow | None = None
    used: UsedTokens = field(default_factory=MemoryUsedTokens)

    async def identify(self, request: web.BaseRequest, user: str) -> Visitor | Close:
        """As of Doorman. Checks the signature, the time, the user and the list of the revoked, in this order."""
        brought = presented(request)
        if brought is None:
            return NO_TOKEN
        try:
            visitor, token_id = await self._read(brought.token, brought.in_address)
        except TurnedAway as away:
            return away.close
        if visitor.identity.user != user:
            return OTHER_USER
        revoked = self.revoked.value if self.revoked else None
        if revoked and (user in revoked.users or token_id in revoked.tokens):
            return REVOKED
        return visitor

    async def admit(self, visitor: Visitor) -> Close | None:
        """As of Doorman."""
        if not visitor.token_id:
            return None
        try:
            return None if await self.used.take(visitor.token_id, visitor.expires) else USED
        except RegisterAway:
            return CANNOT_TELL

    def heard(self, visitor: Visitor) -> None:
        """As of Doorman."""
        if visitor.token_id:
            self.used.spend(visitor.token_id)

    async def _read(self, token: str, in_address: bool) -> tuple[Visitor, str]:
        """Who the token names, and its id. Raises TurnedAway."""
        if token.startswith(PREFIX):
            if self.calls is None:
                raise TurnedAway(UNKNOWN)
            found = self.calls.read(token)
            return Visitor(found.identity, found.id, found.expires), found.id
        if in_address:
            raise TurnedAway(IN_ADDRESS)
        if self.logins is None:
            raise TurnedAway(UNKNOWN)
        identity, token_id = await self.logins.read(token)
        return Visitor(identity), token_id
