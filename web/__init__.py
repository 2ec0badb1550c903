"""The caller's shore: a WebSocket for each call, the REST catalogue, and a page to try them."""

from collections.abc import Collection

from aiohttp import web

from actors.messages.admission import Connected
from actors.runtime import Ref
from web import page
from web.brief import Runner
from web.endpoint import answer_calls
from web.guard import refuse_strangers
from web.metrics import Metrics
from web.patience import PATIENCE, Patience
from web.rest import Rest
from web.turnstile import TURNSTILE, Turnstile, questions_take_turns


def application(
    rest: Rest,
    supervisor: Ref[Connected],
    metrics: Metrics,
    hosts: Collection[str] = (),
    origins: Collection[str] = (),
    patience: Patience = PATIENCE,
) -> web.Application:
    """The web application; `hosts` and `origins` are allowed besides localhost, IP addresses and our own pages."""
    guards = [refuse_strangers(hosts, origins), questions_take_turns]
    app = web.Application(middlewares=guards, client_max_size=64 * 1024)
    app[TURNSTILE] = Turnstile()
    app.add_routes([*page.routes(), *rest.routes(), *metrics.routes()])
    answer = answer_calls(supervisor, metrics.figures, patience)
    app.add_routes([web.get(path, answer, allow_head=False) for path in ("/ws-mobile/{user_id}", "/ws/{user_id}")])
    return app


def runner(app: web.Application, patience: Patience = PATIENCE) -> web.AppRunner:
    """What serves the application; a connection that brings no whole request is closed after a while."""
    return Runner(app, access_log=None, shutdown_timeout=2.0, keepalive_timeout=patience.idle_seconds)
