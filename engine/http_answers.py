"""What the engine answers to plain HTTP: the routes of the API that clients use beside the socket, and its own two."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson

from engine.client_secrets import ClientSecrets
from realtime.server.shape import Rejected
from upstream.models import names

REALTIME = "/v1/realtime"
SECRETS = f"{REALTIME}/client_secrets"
MODELS = "/v1/models"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: `allowed` if it shows the key of the server."""

    method: str
    path: str
    body: bytes
    allowed: bool


class HttpAnswers:
    """Answers with a status and what is sent as JSON. `sessions` lists the live sessions."""

    def __init__(self, sessions: Callable[[], list[Any]], secrets: ClientSecrets) -> None:
        self._sessions = sessions
        self._secrets = secrets

    def answer(self, asked: Asked, now: float) -> tuple[HTTPStatus, Any]:
        """`now` is in seconds since 1970."""
        path = asked.path.rstrip("/") or "/"
        if path == "/health":
            return HTTPStatus.OK, {"status": "healthy", "sessions": len(self._sessions())}
        method = {REALTIME: "GET", "/sessions": "GET", MODELS: "GET", SECRETS: "POST"}.get(path)
        if path.startswith(f"{MODELS}/"):
            method = "GET"
        if method is None:
            return _error(HTTPStatus.NOT_FOUND, "not_found", f"Nothing is here; sessions are at {REALTIME}.")
        if asked.method != method:
            return _error(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", f"Only {method} is served here.")
        if not asked.allowed:
            return _error(HTTPStatus.UNAUTHORIZED, "invalid_api_key", "Show the token as a Bearer.")
        if path == SECRETS:
            return self._secret(asked.body, now)
        if path == "/sessions":
            return HTTPStatus.OK, self._sessions()
        return _models(path.removeprefix(MODELS).lstrip("/"))

    def _secret(self, body: bytes, now: float) -> tuple[HTTPStatus, Any]:
        try:
            return HTTPStatus.OK, self._secrets.issue(orjson.loads(body or b"{}"), now)
        except orjson.JSONDecodeError as broken:
            return _error(HTTPStatus.BAD_REQUEST, "invalid_json", f"Could not parse the body as JSON: {broken}.")
        except Rejected as why:
            return _error(HTTPStatus.BAD_REQUEST, why.code, why.message, why.param)


def _models(name: str) -> tuple[HTTPStatus, Any]:
    """All models, or the one of this name: behind each is the same engine."""
    listed = [{"id": each, "object": "model", "created": 0, "owned_by": "local-engine"} for each in names()]
    if not name:
        return HTTPStatus.OK, {"object": "list", "data": listed}
    for model in listed:
        if model["id"] == name:
            return HTTPStatus.OK, model
    return _error(HTTPStatus.NOT_FOUND, "model_not_found", f"The model '{name}' does not exist.")


def _error(status: HTTPStatus, code: str, message: str, param: str | None = None) -> tuple[HTTPStatus, Any]:
    """An error in the shape of the API."""
    said = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return status, {"error": said}


FOREIGN = _error(
    HTTPStatus.FORBIDDEN, "foreign_host", "Call it by localhost or an IP address, and from no page of another site."
)
FULL = _error(
    HTTPStatus.TOO_MANY_REQUESTS, "too_many_sessions", "All sessions are in use: end one, or raise --sessions."
)
