"""The keys of this server: whoever has one may make calls for users. Tokens of calls are signed with them."""

import hashlib
import hmac
from collections.abc import Sequence

from web.auth.refusal import Unfit

LEAST = 32  # characters: a token shows what a key has signed, so a short key could be found by trying
_PURPOSE = b"persona-voice-server: tokens of calls, 1"


class ServerKeys:
    """Tokens are signed with the first key, and every key is taken, so that keys can be replaced one by one."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises Unfit for a key that is too short."""
        if any(len(key) < LEAST for key in keys):
            raise Unfit(f"a key has at least {LEAST} characters: make one with `openssl rand -hex 32`")
        self._digests = [_digest(key) for key in keys]
        self._signing = [hmac.digest(key.encode(errors="surrogateescape"), _PURPOSE, "sha256") for key in keys]

    def __bool__(self) -> bool:
        return bool(self._digests)

    def knows(self, key: str) -> bool:
        """True if this is one of them; takes as long whether it is or not."""
        digest = _digest(key)
        return any([hmac.compare_digest(digest, known) for known in self._digests])  # noqa: C419  # compares with all

    def sign(self, data: bytes) -> bytes:
        """The signature of the newest key: 32 bytes. Without any key, raises IndexError."""
        return hmac.digest(self._signing[0], data, "sha256")

    def signed(self, data: bytes, signature: bytes) -> bool:
        """True if the signature is that of one of the keys."""
        return any([hmac.compare_digest(hmac.digest(key, data, "sha256"), signature) for key in self._signing])  # noqa: C419


def read_keys(text: str) -> list[str]:
    """The keys of a file: one a line; empty lines, and those that begin with #, are none."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode(errors="surrogatepass")).digest()
