"""Where a token is in the request of a call: `Authorization`, a subprotocol `bearer.TOKEN`, or `?token=`."""

from dataclasses import dataclass, field

from aiohttp import web

from realtime.subprotocols import offered

_SUBPROTOCOL = "bearer."


@dataclass(frozen=True, slots=True)
class Presented:
    """A token as it came; `in_address`: it stood in the query, so that proxies have it in their logs."""

    token: str = field(repr=False)
    in_address: bool = False


def presented(request: web.BaseRequest) -> Presented | None:
    """The token of a request; None without one. Of several, the one in the header goes first, the address last."""
    if token := bearer(request):
        return Presented(token)
    names = offered(request.headers.getall("Sec-WebSocket-Protocol", ()))
    if token := next((name.removeprefix(_SUBPROTOCOL) for name in names if name.startswith(_SUBPROTOCOL)), ""):
        return Presented(token)
    token = request.query.get("token", "")
    return Presented(token, in_address=True) if token else None


def bearer(request: web.BaseRequest) -> str:
    """What `Authorization: Bearer` holds; empty without it."""
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
