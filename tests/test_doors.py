"""Who may come in, through the real server: each way in, with everything that can be wrong with a token."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from actors.messages.identity import Identity
from phone import CallEnded, Phone
from supervisor import SupervisorSnapshot
from tests.kit import doors
from tests.kit.doors import AUDIENCE, EXPIRED, KEY, OTHER_KEY, call_token, confused, entrance_of, login, unsigned
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import MOHIT, TINA
from tests.kit.insides import shown
from tests.kit.story import run

Token = Callable[[], str]


@dataclass(frozen=True)
class Case:
    """A token, the code with which the connection is closed, and whom the address asks for."""

    token: Token
    code: int
    query: str = ""


BAD = {
    "no token": Case(lambda: "", 4401),
    "no token at all, but words": Case(lambda: "nonsense", 4401),
    "call token: expired": Case(lambda: call_token(age=EXPIRED), 4401),
    "call token: other user": Case(lambda: call_token("user-2"), 4403),
    "call token: other persona": Case(
        lambda: call_token(Identity("user-1", frozenset([TINA]))), 4403, f"astrologer_id={MOHIT}"
    ),
    "call token: other mode": Case(lambda: call_token(Identity("user-1", mode="clip")), 4403, "mode=stream"),
    "call token: other key": Case(lambda: call_token(key=OTHER_KEY), 4401),
    "call token: changed": Case(lambda: call_token().replace("call1.ey", "call1.eY"), 4401),
    "call token: no signature": Case(lambda: call_token().rpartition(".")[0], 4401),
    "call token: no letters": Case(lambda: "call1.%%%.***", 4401),
    "the key itself": Case(lambda: KEY, 4401),
    "login: expired": Case(lambda: login(exp=1), 4401),
    "login: never expires": Case(lambda: login(exp=None), 4401),
    "login: not yet": Case(lambda: login(nbf=9_999_999_999), 4401),
    "login: other user": Case(lambda: login("RS256", sub="user-2"), 4403),
    "login: no user": Case(lambda: login("RS256", sub=None), 4401),
    "login: user is a number": Case(lambda: login(sub=7), 4401),
    "login: no user id of ours": Case(lambda: login(sub="not/a user"), 4401),
    "login: other persona": Case(lambda: login("ES256", astrologer_ids=[TINA]), 4403, f"astrologer_id={MOHIT}"),
    "login: claims that cannot be read": Case(lambda: login(seconds="long"), 4401),
    "login: other audience": Case(lambda: login("EdDSA", aud="shop"), 4401),
    "login: no audience": Case(lambda: login(aud=None), 4401),
    "login: other issuer": Case(lambda: login(iss="https://evil.example"), 4401),
    "login: wrong secret": Case(lambda: login(key=OTHER_KEY), 4401),
    "login: wrong key": Case(lambda: login("RS256", key=doors.another_rsa_key()), 4401),
    "login: unknown key": Case(lambda: login("RS256", kid="another"), 4401),
    "login: key of another algorithm": Case(lambda: login("RS256", kid="ec"), 4401),
    "login: algorithm that is not served": Case(
        lambda: doors.by_hand({"alg": "HS512"}, doors.claims(), doors.JWT_SECRET.encode()), 4401
    ),
    "login: none": Case(unsigned, 4401),
    "login: none, by another name": Case(lambda: doors.by_hand({"alg": "nOnE"}, doors.claims(), b""), 4401),
    "login: key as HMAC secret": Case(confused, 4401),
    "login: critical header": Case(
        lambda: doors.by_hand({"alg": "HS256", "crit": ["x"], "x": 1}, doors.claims(), doors.JWT_SECRET.encode()), 4401
    ),
    "login: a header without end": Case(lambda: doors.base64url(b'{"alg":' + b"[" * 3000) + ".e30.x", 4401),
}
"""What must not come in."""


async def knock(
    line: Exchange, path: str, token: str, query: str = "", way: str = "header"
) -> tuple[int, str, list[Any]]:
    """Open a connection with this token; the code and the reason of the close, and what was told before."""
    headers = {"Authorization": f"Bearer {token}"} if token and way == "header" else {}
    offered = [Subprotocol("voice.v1"), Subprotocol(f"bearer.{token}")] if token and way == "subprotocol" else None
    parts = [query] if query else []
    if token and way == "address":
        parts.append(f"token={token}")
    url = f"{line.url}/{path}/user-1?{'&'.join(parts)}"
    async with connect(url, additional_headers=headers, subprotocols=offered, proxy=None) as socket:
        assert socket.subprotocol == ("voice.v1" if offered else None)
        told = []
        try:
            while True:
                told.append(json.loads(await socket.recv()))
        except ConnectionClosed:
            return socket.close_code or 1006, socket.close_reason or "", told


def spent(line: Exchange) -> dict[str, int]:
    """What a call costs from its first moment on."""
    held = shown(line.supervisor, SupervisorSnapshot).held
    return {"begun": line.counters.begun, "dialled": len(line.engine.calls), "places": len(held)}


def test_nobody_comes_in_with_a_bad_token(tmp_path: Path) -> None:
    """Each is told its code, at both addresses, and nothing is spent: no call, no connection to the model, no place."""

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            told: dict[str, int] = {}
            for path in ("ws", "ws-mobile"):
                for name, case in BAD.items():
                    code, reason, before = await knock(line, path, case.token(), case.query)
                    told[name] = code
                    assert reason, name
                    assert before == [], name
                assert told == {name: case.code for name, case in BAD.items()}
            assert spent(line) == {"begun": 0, "dialled": 0, "places": 0}
            assert line.counters.refused[4401] + line.counters.refused[4403] == 2 * len(BAD)

    run(story())


GOOD: dict[str, tuple[Token, str]] = {
    "call token, header": (call_token, "header"),
    "call token, subprotocol": (call_token, "subprotocol"),
    "call token, address": (call_token, "address"),
    "HS256": (login, "header"),
    "RS256": (lambda: login("RS256"), "subprotocol"),
    "RS256, no key named": (
        lambda: login("RS256", kid=""),
        "header",
    ),
    "ES256": (lambda: login("ES256"), "header"),
    "EdDSA": (lambda: login("EdDSA"), "subprotocol"),
    "one of several audiences": (lambda: login(aud=["shop", AUDIENCE]), "header"),
}


@pytest.mark.parametrize("name", GOOD)
def test_who_brings_a_good_token_comes_in(name: str, tmp_path: Path) -> None:
    """In each of the ways in which a client can send one."""
    token, way = GOOD[name]

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            brought = token()
            headers = {"Authorization": f"Bearer {brought}"} if way == "header" else {}
            offered = [Subprotocol("voice.v1"), Subprotocol(f"bearer.{brought}")] if way == "subprotocol" else None
            query = f"?token={brought}" if way == "address" else ""
            async with connect(
                f"{line.url}/ws/user-1{query}", additional_headers=headers, subprotocols=offered, proxy=None
            ) as socket:
                await socket.send('{"type": "ping"}')
                assert json.loads(await socket.recv()) == {"type": "pong"}

    run(story())


def test_a_login_may_not_stand_in_an_address(tmp_path: Path) -> None:
    """It is good for long, and proxies write addresses down."""

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            code, reason, _ = await knock(line, "ws", login(), way="address")
            assert code == 4401
            assert "address" in reason

    run(story())


async def closed_with(phone: Phone) -> int:
    """The code with which this call ends."""
    return (await phone.closed()).code


def test_a_call_token_is_good_for_one_call(tmp_path: Path) -> None:
    """From the first word on, also after the call; a connection that said nothing may be replaced, twice."""

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            token = call_token()
            silent, second = (Phone(line.url, "user-1", bearer=token) for _ in range(2))
            await silent.__aenter__()
            await second.__aenter__()
            assert await closed_with(silent) == 4409
            await second.choose(TINA)
            async with Phone(line.url, "user-1", bearer=token) as third:
                assert await closed_with(third) == 4401
            await second.answer()
            await second.say(type="end")
            assert await closed_with(second) == 1000
            async with Phone(line.url, "user-1", bearer=token) as late:
                assert await closed_with(late) == 4401
            assert line.counters.begun == 2

    run(story())


def test_a_silent_connection_is_not_replaced_for_ever(tmp_path: Path) -> None:
    """A token opens three connections at most."""

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            token = call_token()
            for _ in range(3):
                async with Phone(line.url, "user-1", bearer=token):
                    pass
            async with Phone(line.url, "user-1", bearer=token) as fourth:
                assert await closed_with(fourth) == 4401

    run(story())


def test_what_a_token_locks_in_holds(tmp_path: Path) -> None:
    """The persona, also for a config; a switch to another is refused; the mode."""

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            only = Identity("user-1", frozenset([TINA]), "clip")
            async with Phone(line.url, "user-1", bearer=call_token(only)) as phone:
                await phone.say(type="config", astrologer_id=MOHIT)
                assert (await phone.hear("error"))["code"] == "not_allowed"
                assert await closed_with(phone) == 4403
            assert spent(line)["places"] == 0
            async with Phone(line.url, "user-1", bearer=call_token(only)) as phone:
                await phone.choose(TINA)
                await phone.answer()
                await phone.say(type="config", astrologer_id=MOHIT)
                assert (await phone.hear("error"))["code"] == "not_allowed"
                await phone.speak(bytes(960))
                assert (await phone.hear("error"))["code"] == "wrong_mode"
                await phone.say(type="text", text="Are you still there?")
                assert "still there" in (await phone.answer()).text

    run(story())


async def post(line: Exchange, key: str, body: Any = None) -> tuple[int, Any]:
    """Ask for a token."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{line.http}/api/calls", json=body or {"user": "user-1"}, headers=headers) as answer,
    ):
        return answer.status, await answer.json()


def test_the_owner_gets_tokens_with_the_key_alone(tmp_path: Path) -> None:
    """Without one, with another, and with what else lets callers in: 401, and nothing of what was sent is repeated."""

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            for key in ("", OTHER_KEY, KEY[:-1], f"{KEY}x", call_token(), login(), confused(), unsigned()):
                status, answer = await post(line, key)
                assert (status, answer["code"]) == (401, "not_allowed")
                assert not key or key not in str(answer)
            status, answer = await post(line, KEY, {"user": "user-1", "astrologer_ids": [TINA], "seconds": 60})
            assert status == 201
            assert set(answer) == {"token", "url", "expires"}
            base, _, user = answer["url"].rpartition("/")
            async with Phone(base.removesuffix("/ws"), user, bearer=answer["token"]) as phone:
                await phone.choose(TINA)

    run(story())


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"user": ""}, "bad_message"),
        ({"user": "a b"}, "bad_message"),
        ({"users": "user-1"}, "bad_message"),
        ({"user": ["user-1"]}, "bad_message"),
        ([], "bad_message"),
        ({"user": "u", "mode": "loud"}, "bad_message"),
        ({"user": "u", "mode": {}}, "bad_message"),
        ({"user": "u", "seconds": 0}, "bad_message"),
        ({"user": "u", "seconds": True}, "bad_message"),
        ({"user": "u", "astrologer_ids": []}, "bad_message"),
        ({"user": "u", "astrologer_ids": "tina"}, "bad_message"),
        ({"user": "u", "astrologer_ids": [7]}, "bad_message"),
        ({"user": "u", "astrologer_ids": ["nobody"]}, "unknown_astrologer"),
    ],
)
def test_what_is_asked_for_is_checked(body: Any, code: str, tmp_path: Path) -> None:
    """Each mistake is named."""

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line:
            headers = {"Authorization": f"Bearer {KEY}"}
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"{line.http}/api/calls", data=json.dumps(body), headers=headers) as answer,
            ):
                assert (answer.status, (await answer.json())["code"]) == (400, code)

    run(story())


def test_what_is_public_stays_public(tmp_path: Path) -> None:
    """The page, the health and the list of personas; an open server has no tokens to give."""

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line, aiohttp.ClientSession() as session:
            for path in ("/", "/client/call.js", "/health", "/api/astrologers", f"/api/astrologers/{TINA}"):
                async with session.get(line.http + path) as answer:
                    assert answer.status == 200, path
            async with session.post(f"{line.http}/api/astrologers/match", json={"query": "marriage"}) as answer:
                assert answer.status == 200
        async with exchange() as line:
            assert (await post(line, KEY))[0] == 404

    run(story())


def test_a_phone_without_a_token_is_told_the_code(tmp_path: Path) -> None:
    """The handshake is accepted, because browsers show no HTTP status of one that is not."""

    async def story() -> None:
        async with exchange(doors=entrance_of(tmp_path)) as line, Phone(line.url, "user-1") as phone:
            with pytest.raises(CallEnded) as ended:
                await phone.next()
            assert ended.value.code == 4401

    run(story())
