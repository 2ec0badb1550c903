"""The secret by which a caller comes back to their call: known to them alone, and kept as a hash."""

import hashlib
import hmac
import secrets

BYTES = 16  # 128 bits


def issue() -> tuple[str, bytes]:
    """A new token, and its hash."""
    token = secrets.token_urlsafe(BYTES)
    return token, digest(token)


def digest(token: str) -> bytes:
    """The hash of a token. It is random and long, so nothing slower than SHA-256 is needed."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def fits(token: str, kept: bytes) -> bool:
    """True if this is the token of that hash; takes as long whether it is or not."""
    return hmac.compare_digest(digest(token), kept)
