"""The caller's shore: a WebSocket for each call, the REST catalogue, and a page to try them."""

from collections.abc import Collection

from aiohttp import web

from actors.messages.admission import Connected
from actors.runtime import Ref
from web import page
from web.endpoint import answer_calls
from web.guard import refuse_strangers
from web.metrics import Metrics
from web.rest import Rest
from web.turnstile import TURNSTILE, Turnstile, questions_take_turns

IDLE_SECONDS = 75.0  # for the first request, whole, and between two; proxies keep idle connections for 60


def application(
    rest: Rest,
    supervisor: Ref[Connected],
    metrics: Metrics,
    hosts: Collection[str] = (),
    origins: Collection[str] = (),
) -> web.Application:
    """The web application; `hosts` and `origins` are allowed besides localhost, IP addresses and our own pages."""
    guards = [refuse_strangers(hosts, origins), questions_take_turns]
    app = web.Application(middlewares=guards, client_max_size=64 * 1024)
    app[TURNSTILE] = Turnstile()
    app.add_routes([*page.routes(), *rest.routes(), *metrics.routes()])
    answer = answer_calls(supervisor, metrics.figures)
    app.add_routes([web.get(path, answer, allow_head=False) for path in ("/ws-mobile/{user_id}", "/ws/{user_id}")])
    return app


def runner(app: web.Application, shutdown_seconds: float = 2.0) -> web.AppRunner:
    """What serves the application; a connection that brings no whole request within IDLE_SECONDS is closed."""
    return web.AppRunner(app, access_log=None, shutdown_timeout=shutdown_seconds, keepalive_timeout=IDLE_SECONDS)
