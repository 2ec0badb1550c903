"""The live view of the admin shore: a page, and a socket that tells it what the calls do."""

from pathlib import Path

from aiohttp import web

from web.live.access import may_look
from web.live.socket import Lookers
from web.live.view import Eyes
from web.page import FOLDER, File

PATH = "/live"
ACCESS = f"{PATH}/access"
HERE = Path(__file__).parent
FILES = [HERE / "live.css", *sorted(HERE.glob("*.js")), FOLDER / "style.css", FOLDER / "icon.svg"]


class LiveView:
    """The routes of the view. `open_paths` are those of the page, which shows nothing before it has the token."""

    def __init__(self, eyes: Eyes, token: str) -> None:
        self._token, self._lookers = token, Lookers(eyes)
        page = {f"{PATH}/{path.name}": File(path) for path in FILES} | {PATH: File(HERE / "index.html")}
        self.routes: list[web.RouteDef] = [
            *(web.get(path, file.show) for path, file in page.items()),
            web.get(ACCESS, self._access),
            web.get(f"{PATH}/socket", self._lookers.look, allow_head=False),
        ]
        self.open_paths = frozenset({*page, ACCESS})

    async def close(self, _: web.Application) -> None:
        """The server ends: so do those who look."""
        await self._lookers.close()

    async def _access(self, request: web.Request) -> web.Response:
        """Whether the token is good, and one more may look. A 401 would stand on the console of browsers without."""
        told = {"good": may_look(request, self._token), "full": self._lookers.full}
        return web.json_response(told, headers={"Cache-Control": "no-store"})
