"""A stranger at a closed server: whatever their client sends, no call begins, and nothing of the server fails."""

import asyncio
import json
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from phone.lasting import LastingPhone
from tests.kit import doors
from tests.kit.doors import JWT_SECRET, KEY, base64url, by_hand, call_token, claims, entrance_of, login
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import TINA
from tests.kit.raw import TEXT, head
from tests.kit.story import WITHIN, run
from tests.test_doors import spent
from tests.test_doors_resuming import asks
from tests.test_doors_resuming import knock as resume
from tests.test_resuming import cut, talked

UPGRADE = (
    "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)  # fmt: skip
CONFIG = json.dumps({"type": "config", "astrologer_id": TINA}).encode()
NOBODY = f"/ws/user-1?astrologer_id={TINA}"


async def knock(line: Exchange, first: str, *headers: str, early: bool = False) -> int:
    """The status of the answer to this request, or the code of the close after an upgrade; 0 if there is none.

    Who is let in so far chooses a persona; who comes `early` does so before that.
    """
    config = head(len(CONFIG), TEXT) + CONFIG
    address, port = line.url.removeprefix("ws://").split(":")
    reader, writer = await asyncio.open_connection(address, int(port))
    try:
        request = "\r\n".join([first, "Host: localhost", *headers, "", ""]).encode("utf-8", "surrogateescape")
        writer.write(request + config * early)
        async with asyncio.timeout(WITHIN):
            answer = await reader.readuntil(b"\r\n")
            status = int(answer.split()[1])
            if status != 101:
                return status
            await reader.readuntil(b"\r\n\r\n")
            writer.write(config * (not early))
            kind, size = await reader.readexactly(2)
            said = await reader.readexactly(size)
            return int(struct.unpack(">H", said[:2])[0]) if kind == 0x88 else 101
    except (asyncio.IncompleteReadError, ConnectionError):
        return 0
    finally:
        writer.close()


def get(path: str = NOBODY, *headers: str, method: str = "GET", version: str = "1.1") -> tuple[str, ...]:
    """The lines of a handshake."""
    return (f"{method} {path} HTTP/{version}", *UPGRADE, *headers)


def bearer(token: str) -> tuple[str, ...]:
    """A handshake of user-1 with this token."""
    return get(NOBODY, f"Authorization: Bearer {token}")


def keyed(header: dict[str, Any], key: bytes, **said: Any) -> tuple[str, ...]:
    """With a JWT that no library would make."""
    return bearer(by_hand({"typ": "JWT", **header}, claims(**said), key))


SECRET = JWT_SECRET.encode()
PUBLIC = json.dumps(doors.jwks()["keys"][0]).encode()

METHODS = ("HEAD", "OPTIONS", "POST", "CONNECT", "PUT", "get")
PATHS = (
    "//ws//user-1//", "/ws/../ws/user-1", "/ws/./user-1", "/./ws/user-1", "/health/../ws/user-1", "/ws/user-1/..",
    "/ws/..", "/ws/%2e%2e", "/ws/%2e%2e/ws/user-1", "/%77s/user-1", "/ws%2Fuser-1", "/WS/user-1", "/ws;x/user-1",
    "/ws/user-1;admin", "/ws/user-1%00", "/ws/%00", "/ws/user-1%0d%0aAuthorization:x", "/ws/", "/ws",
    "/ws/user-1#token", "/ws\\user-1", "/ws/%ff%fe", "/ws/%C0%AE%C0%AE", "/ws/*", "*",
    "http://localhost/ws/user-1", "http://evil.example/ws/user-1", "/client/../ws/user-1", "/ws-mobile/user-1",
)  # fmt: skip
SUBPROTOCOLS = (
    "voice.v1", "bearer", "bearer.", "voice.v1, bearer.", "bearer.null", "BEARER.x", "realtime",
    "openai-insecure-api-key.x", ",,,", "bearer.é", "bearer.x, bearer.y", "admin", "x" * 7000,
)  # fmt: skip
QUERIES = (
    "token=", "token=x", "token[]=x", "Token=x", "token=x&token=y", "token=%00", "token=%ff", "token=call1..",
    "access_token=x", "resume=false", "resume=1", "resume=true", "resume=true&resume=false", "resume=TRUE",
    "resume=true&node=x", "user=user-1", "open=true", f"token={'A' * 7000}",
)  # fmt: skip
ALGORITHMS: tuple[Any, ...] = ("None", "hs256", "HS384", "", None, 7, [], ["HS256"], {})
KEY_IDS: tuple[Any, ...] = (
    "/dev/null",
    "../../../dev/null",
    "' UNION SELECT '",
    "",
    0,
    None,
    [],
    {},
    True,
    "\0",
    "x" * 5000,
)
CLAIMS: tuple[dict[str, Any], ...] = (
    {"sub": ["user-1"]}, {"sub": {"user": "user-1"}}, {"sub": "user-1\0"}, {"sub": "user-1 "}, {"sub": "\n"},
    {"sub": "USER-1"}, {"sub": "../user-1"}, {"sub": ""}, {"sub": True}, {"sub": "\ud800"}, {"exp": "never"},
    {"exp": True}, {"exp": float("inf")}, {"exp": float("nan")}, {"exp": -1}, {"exp": 1e400}, {"exp": [9e9]},
    {"exp": {}}, {"nbf": "x"}, {"nbf": float("nan")}, {"nbf": 9e12}, {"iat": 9e12}, {"iat": "x"}, {"jti": []},
    {"jti": {}}, {"jti": 7}, {"aud": []}, {"aud": {}}, {"aud": [[]]}, {"iss": ["https://login.example"]},
    {"iss": {}}, {"seconds": -1}, {"seconds": float("nan")}, {"mode": []}, {"astrologer_ids": [[]]},
    {"astrologer_ids": {}}, {"astrologer_ids": []}, {"exp": None}, {"aud": None}, {"iss": None}, {"sub": None},
)  # fmt: skip
HANDSHAKES: dict[str, Callable[[], tuple[str, ...]]] = {
    # where a proxy, or a framework, would have let somebody in
    "X-Forwarded-User": lambda: get(NOBODY, "X-Forwarded-User: user-1", "X-Remote-User: user-1", "Remote-User: user-1"),
    "X-Forwarded-For of loopback": lambda: get(NOBODY, "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1"),
    "Forwarded": lambda: get(NOBODY, "Forwarded: for=127.0.0.1;host=localhost;proto=https"),
    "X-Original-URL": lambda: get("/health", f"X-Original-URL: {NOBODY}", f"X-Rewrite-URL: {NOBODY}"),
    "X-HTTP-Method-Override": lambda: get(NOBODY, "X-HTTP-Method-Override: OPTIONS"),
    "origin of the server": lambda: get(NOBODY, "Origin: http://localhost"),
    "cookie": lambda: get(NOBODY, f"Cookie: token={call_token()}; Authorization={login()}"),
    "a body": lambda: get(NOBODY, "Content-Length: 5"),
    "two bodies": lambda: get(NOBODY, "Content-Length: 0", "Transfer-Encoding: chunked"),
    # methods and versions
    "HTTP/1.0": lambda: get(version="1.0"),
    "HTTP/0.9": lambda: (f"GET {NOBODY}",),
    "HTTP/2.0": lambda: get(version="2.0"),
    "preflight": lambda: get(NOBODY, "Access-Control-Request-Method: GET", "Origin: http://x", method="OPTIONS"),
    # the header
    "no scheme": lambda: get(NOBODY, f"Authorization: {call_token('user-2')}"),
    "basic": lambda: get(NOBODY, "Authorization: Basic dXNlci0xOg=="),
    "empty bearer": lambda: get(NOBODY, "Authorization: Bearer "),
    "bearer null": lambda: bearer("null"),
    "bearer undefined": lambda: bearer("undefined"),
    "the key": lambda: bearer(KEY),
    "the secret": lambda: bearer(JWT_SECRET),
    "bad, then of another": lambda: get(
        NOBODY, "Authorization: Bearer x", f"Authorization: Bearer {call_token('user-2')}"
    ),
    "two in one": lambda: bearer(f"x, Bearer {call_token('user-2')}"),
    "unicode": lambda: bearer("ｃａｌｌ１．é.é"),
    "not UTF-8": lambda: bearer("call1.\udcff\udcfe.\udcff"),
    "NUL": lambda: bearer("call1.\0.\0"),
    "folded": lambda: get(NOBODY, "Authorization: Bearer", " x"),
    "too long for a header": lambda: bearer("call1." + "A" * 20_000),
    "as long as goes": lambda: bearer("call1." + "A" * 7000 + ".A"),
    "a JWT as long as goes": lambda: bearer(f"{'e30' * 2000}.e30.e30"),
    "subprotocols in two headers": lambda: get(
        NOBODY, "Sec-WebSocket-Protocol: bearer.x", "Sec-WebSocket-Protocol: bearer.y"
    ),
    "a login in the address": lambda: get(f"{NOBODY}&token={login()}"),
    # tokens of calls
    "two dots": lambda: bearer("call1.."),
    "the key as its own signature": lambda: bearer(f"call1.{base64url(b'{}')}.{base64url(KEY.encode())}"),
    "prefix in capitals": lambda: bearer(call_token().replace("call1.", "CALL1.")),
    "payload of another": lambda: bearer(".".join([*call_token().split(".")[:2], call_token("user-2").split(".")[2]])),
    "padded payload": lambda: bearer("=.".join(call_token().rsplit(".", 1))),
    "a JWT with its prefix": lambda: bearer("call1." + login()),
    "a token of a call as a JWT": lambda: bearer(call_token().replace("call1.", "e30.")),
    # JWTs
    "none": lambda: bearer(doors.unsigned()),
    "no signature": lambda: bearer(login().rpartition(".")[0] + "."),
    "no signature, two parts": lambda: bearer(login().rpartition(".")[0]),
    "HS256 with the public key": lambda: bearer(doors.confused()),
    "HS256 with the JWK": lambda: keyed({"alg": "HS256", "kid": "rsa"}, PUBLIC),
    "HS256 with the modulus": lambda: keyed({"alg": "HS256"}, doors.jwks()["keys"][0]["n"].encode()),
    "HS256 with nothing": lambda: keyed({"alg": "HS256"}, b""),
    "RS256 by HMAC": lambda: keyed({"alg": "RS256", "kid": "rsa"}, SECRET),
    "ES256, zeros": lambda: bearer(f"{login('ES256').rpartition('.')[0]}.{base64url(bytes(64))}"),
    "EdDSA, zeros": lambda: bearer(f"{login('EdDSA').rpartition('.')[0]}.{base64url(bytes(64))}"),
    "its own key": lambda: keyed({"alg": "HS256", "jwk": {"kty": "oct", "k": "eA"}}, b"x"),
    "its own address of keys": lambda: keyed(
        {"alg": "RS256", "jku": "http://127.0.0.1:1/", "x5u": "http://127.0.0.1:1/"}, b"x"
    ),
    "not encoded (b64)": lambda: keyed({"alg": "HS256", "b64": False, "crit": ["b64"]}, SECRET),
    "of five parts": lambda: bearer("e30.e30.e30.e30.e30"),
    "zipped": lambda: keyed({"alg": "HS256", "zip": "DEF"}, b""),
}
REQUESTS: dict[str, Callable[[], tuple[str, ...]]] = {
    **HANDSHAKES,
    **{f"method {method}": partial(get, method=method) for method in METHODS},
    **{f"path {path}": partial(get, path) for path in PATHS},
    **{f"subprotocol {name}": partial(get, NOBODY, f"Sec-WebSocket-Protocol: {name}") for name in SUBPROTOCOLS},
    **{f"query {query}": partial(get, f"{NOBODY}&{query}") for query in QUERIES},
    **{f"alg {alg!r}": partial(keyed, {"alg": alg}, SECRET) for alg in ALGORITHMS},
    **{f"kid {kid!r}": partial(keyed, {"alg": "HS256", "kid": kid}, b"") for kid in KEY_IDS},
    **{f"claims {said}": partial(keyed, {"alg": "HS256"}, SECRET, **said) for said in CLAIMS},
}
"""Handshakes that must come to nothing."""


@pytest.mark.parametrize("early", [False, True])
def test_no_handshake_of_a_stranger_begins_a_call(early: bool, tmp_path: Path) -> None:
    """Each is refused, by a status or by a close; the server answers, and fails in none of them."""

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            told = {}
            for name, lines in REQUESTS.items():
                told[name] = await knock(line, *lines(), early=early)
                assert spent(line) == {"begun": 0, "dialled": 0, "places": 0}, name
            wrong = {name: code for name, code in told.items() if code in (0, 101, 1000, 1011) or 500 <= code < 600}
            assert wrong == {}
            assert await knock(line, *bearer(call_token()), early=early) == 101  # which is no fault of the tries

    run(story())


def test_nobody_guesses_their_way_into_a_call(tmp_path: Path) -> None:
    """With almost the token of its resume, or all of it as another user: 4401, and its owner comes back."""

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            async with LastingPhone(line.url, "user-1", bearer=call_token()) as phone:
                await talked(phone)
                ask, token = asks(phone), phone.token
                for guess in (
                    "",
                    token[:-1],
                    f"{token}x",
                    f" {token}",
                    f"{token}\0",
                    token.swapcase(),
                    token[::-1],
                    "*",
                ):
                    assert (await resume(line, {**ask, "token": guess}))[-1] == 4401, guess
                for other in (None, 0, True, [token], {"$ne": ""}):
                    assert (await resume(line, {**ask, "token": other}))[-1] == 4401, other
                for attach in (-1, 10**30, "0", None):
                    assert (await resume(line, {**ask, "attach": attach}))[-1] == 4401, attach
                for user in ("USER-1", "user-2", "user-1.", "user%E2%80%8D-1", "%EF%BD%95ser-1"):
                    assert await resume(line, ask, user=user) == ["unknown", 4401], user
                cut(phone)
                await phone.say(type="text", text="It is me.")
                await phone.reply()
                assert phone.resumed == 1
            assert line.counters.begun == 1

    run(story())
