"""Names in place of user ids: the same for the same user, and none that can be guessed without the secret."""

import hmac
import secrets


class Pseudonyms:
    """Keyed hashes (HMAC-SHA256). Without a secret, one of this process's own: then a restart changes all names."""

    def __init__(self, secret: str = "") -> None:
        self._key = secret.encode() or secrets.token_bytes(32)

    def upstream(self, user: str) -> str:
        """The safety identifier: 32 characters."""
        return self._of("upstream", user)

    def log(self, user: str) -> str:
        """The name in our log, another than the upstream's: 16 characters."""
        return self._of("log", user)[:16]

    def _of(self, reader: str, user: str) -> str:
        return hmac.digest(self._key, f"{reader} {user}".encode(errors="surrogatepass"), "sha256").hex()[:32]
