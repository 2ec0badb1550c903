"""The page that callers open in a browser: the files of this folder, read once, served with a strict policy."""

from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path

from aiohttp import ETag, web

FOLDER = Path(__file__).parent
KINDS = {".html", ".css", ".js", ".svg"}
START = "index.html"
HEADERS = {
    # The page loads and calls nothing but this server; 'self' covers its WebSocket. Styles that a script sets are fine.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # kept, but asked about: names carry no version
}


class File:
    """One file of the page, in memory."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._body = path.read_bytes()
        self._tag = sha256(self._body).hexdigest()[:16]
        self._type = guess_type(path)[0]

    async def show(self, request: web.Request) -> web.Response:
        """The file, or 304 to a browser that has this version."""
        if any(tag.value in (self._tag, "*") for tag in request.if_none_match or ()):
            answer = web.Response(status=304, headers=HEADERS)
        else:
            answer = web.Response(body=self._body, headers=HEADERS, content_type=self._type, charset="utf-8")
        answer.etag = ETag(self._tag)
        return answer


def routes() -> list[web.RouteDef]:
    """`GET /` is the page, `GET /client/NAME` what it loads."""
    files = [File(path) for path in sorted(FOLDER.iterdir()) if path.suffix in KINDS]
    loaded = [web.get(f"/client/{file.name}", file.show) for file in files if file.name != START]
    return [web.get("/", file.show) for file in files if file.name == START] + loaded
