"""Why a caller is turned away. Browsers show no HTTP status of a handshake, so it is the code of a close."""

from actors.messages.caller import Close

NO_TOKEN = Close(4401, "a call needs a token: see docs/wire.md, Who may call")
UNKNOWN = Close(4401, "the token is not one of this server's: get a new one")
EXPIRED = Close(4401, "the token has expired: get a new one")
USED = Close(4401, "the token was used: it is good for one call, get a new one")
CANNOT_TELL = Close(4429, "it cannot be looked up now whether the token was used: try again in some seconds")
REVOKED = Close(4401, "the token was revoked")
IN_ADDRESS = Close(4401, "a token of a login may not stand in an address: send it as bearer.TOKEN or Authorization")
OTHER_USER = Close(4403, "the token is of another user")


class Unfit(ValueError):
    """What the server's owner has given cannot be used; the text says why, and quotes none of it."""


class TurnedAway(Exception):
    """The caller may not come in; `close` is what they are told."""

    def __init__(self, close: Close) -> None:
        super().__init__(close.reason)
        self.close = close
