"""What a call costs, how long it lasts, and who takes it when: told on the page as the server tells it."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import WebSocketRoute, expect

from actors.farewell import minute
from actors.meter import Bill, Stay
from actors.messages import Notice
from personas import SHIPPED, Catalogue
from tests.kit.four import FREE, HARSH, IDS, MOHIT, PRIYANKA, TINA
from tests.kit.process import Server, server
from tests.page.conftest import Visit
from tests.page.test_access import barriers
from tests.page.visitor import DESKTOP, PHONE, Visitor
from web import wire

Row: TypeAlias = dict[str, Any]
OPENS = datetime.now(UTC).replace(hour=9, minute=30) + timedelta(days=3)
TERMS: dict[str, Row] = {
    TINA: {"pricing": {"per_minute": 12.5, "currency": "INR", "free_seconds": 90}},
    MOHIT: {},
    PRIYANKA: {"availability": {"timezone": "UTC", "weekly": {f"{OPENS:%a}": "09:30-17:00"}}},
    HARSH: {"pricing": {"per_minute": 300, "currency": "JPY", "rounding": "minute"}, "max_callers": 1},
}


@dataclass
class Place:
    """A server, and its file of personas."""

    server: Server
    file: Path

    @property
    def url(self) -> str:
        return f"http://{self.server.address}/"

    def edit(self, change: Callable[[dict[str, Row]], Any]) -> None:
        """Change the file, by id, and wait until the server has it."""
        data = json.loads(self.file.read_text())
        change({row["astrologer_id"]: row for row in data["astrologers"]})
        self.file.write_text(json.dumps(data))
        self.server.lines(f"catalogue={Catalogue.load(self.file).version}", 1)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """The four: Tina has a price, Mohit has none, Priyanka is closed, Harsh takes one caller."""
    data = json.loads(SHIPPED.read_bytes())
    rows = {row["astrologer_id"]: row for row in data["astrologers"]}
    plain = [{key: value for key, value in rows[id_].items() if key not in ("pricing", "availability")} for id_ in IDS]
    file = tmp_path / "personas.json"
    file.write_text(json.dumps({**data, "astrologers": [{**row, **TERMS[row["astrologer_id"]]} for row in plain]}))
    with server("--personas", str(file)) as one:
        yield Place(one, file)
