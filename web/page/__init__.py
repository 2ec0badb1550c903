"""The page for browsers: the files of this folder and the client in JavaScript, read once.

They are served with a strict content security policy.
"""

from base64 import b64encode
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path

from aiohttp import ETag, web

import clients

FOLDER = Path(__file__).parent
KINDS = {".html", ".css", ".js", ".svg"}
START = "index.html"
INLINE = FOLDER / "loading.js"
"""The script that stands in a page itself, where the page names it."""
FILES = [*(path for path in sorted(FOLDER.iterdir()) if path.suffix in KINDS and path != INLINE), clients.MODULE]
NAMED = f'<script src="{INLINE.name}"></script>'.encode()
HASH = b64encode(sha256(INLINE.read_bytes()).digest()).decode()
HEADERS = {
    # The page loads from and connects to this server only; 'self' covers its WebSocket.
    "Content-Security-Policy": f"default-src 'none'; script-src 'self' 'sha256-{HASH}'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # cached, but revalidated: file names carry no version
}


class File:
    """One file of the page, in memory."""

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._body = path.read_bytes().replace(NAMED, b"<script>%s</script>" % INLINE.read_bytes())
        self._tag = sha256(self._body).hexdigest()[:16]
        self._type = guess_type(path)[0]

    async def show(self, request: web.Request) -> web.Response:
        """The file, or 304 if the browser has this version."""
        if any(tag.value in (self._tag, "*") for tag in request.if_none_match or ()):
            answer = web.Response(status=304, headers=HEADERS)
        else:
            answer = web.Response(body=self._body, headers=HEADERS, content_type=self._type, charset="utf-8")
        answer.etag = ETag(self._tag)
        return answer


def routes() -> list[web.RouteDef]:
    """The routes: `GET /` is the page, `GET /client/NAME` a file that it loads."""
    files = [File(path) for path in FILES]
    loaded = [web.get(f"/client/{file.name}", file.show) for file in files if file.name != START]
    return [web.get("/", file.show) for file in files if file.name == START] + loaded
