"""Headers of every answer: no sniffing, https from now on where it is, and no name of a server."""

from aiohttp import web

SNIFFING = "X-Content-Type-Options"
HTTPS = "Strict-Transport-Security"
HTTPS_SECONDS = 30 * 86_400  # for which a browser comes back by https alone, also to other ports of this name


async def set_headers(request: web.BaseRequest, answer: web.StreamResponse) -> None:
    """Set them. A signal handler: it runs before each response, also before the 101 of a call."""
    answer.headers.pop("Server", None)
    answer.headers[SNIFFING] = "nosniff"
    if request.secure:
        answer.headers[HTTPS] = f"max-age={HTTPS_SECONDS}"


class UnroutedResponse(web.Response):
    """The answer to what is no HTTP: it belongs to no application, so no signal is sent before it."""

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        if self._req:
            await set_headers(self._req, self)
