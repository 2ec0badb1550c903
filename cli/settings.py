"""What the server can be told, read once at start."""

from dataclasses import dataclass, field
from pathlib import Path

from actors.services import Limits
from engine import WAIT, WORKERS
from web.addresses import Addresses

OPENAI = "wss://api.openai.com/v1/realtime"
MODEL = "gpt-realtime-2.1"


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How much the local engine does at once, and in how many seconds it must answer."""

    workers: int = WORKERS
    wait: float = WAIT


@dataclass(frozen=True, slots=True)
class Settings:
    """One value per option of `serve`. An `upstream_url` of None is OpenAI with its key, the local engine without."""

    host: str
    port: int
    tls_cert: Path | None
    tls_key: Path | None
    upstream_url: str | None = field(repr=False)  # its query may hold a key
    model: str
    personas: Path
    openai_api_key: str = field(repr=False)
    upstream_api_key: str = field(repr=False)
    llm_url: str | None
    hosts: tuple[str, ...]
    origins: tuple[str, ...]
    limits: Limits
    session_seconds: float | None = None
    engine: EngineOptions = EngineOptions()
    addresses: Addresses = field(default_factory=Addresses)

    @property
    def local(self) -> bool:
        """The local engine answers."""
        return self.upstream_url is None and not self.openai_api_key
