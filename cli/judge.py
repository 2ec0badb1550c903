"""The settings of a judge model, which reads along for callers in danger, and its client."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlsplit

from actors.caring.judging import Judge
from actors.counters import Counters
from actors.setting import Setting
from cli.failure import CannotServe
from cli.privacy import is_this_machine
from web.judge import JudgeServer, judge_client

log = logging.getLogger("serve")

MINUTE = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSettings:
    """Whether a model reads along, and how often it is asked."""

    care_judge_url: Annotated[
        str,
        Setting(
            help="Judge model that reads along for danger: its base URL.",
            doc="the base URL of an OpenAI-compatible chat server (`https://api.openai.com/v1`) that is asked, beside "
            "the word lists, whether a caller may be in danger. It is sent what both sides have said, see "
            "[safety](safety.md#a-judge-model); without one no word goes anywhere",
        ),
    ] = ""
    care_judge_model: Annotated[
        str, Setting(help="Its model.", doc="the model of the judge; needed with `--care-judge-url`")
    ] = ""
    care_judge_key: Annotated[
        str, Setting(doc="sent to `--care-judge-url` and nobody else; may be left out", secret=True)
    ] = field(default="", repr=False)
    care_judge_minute: Annotated[
        int,
        Setting(
            help="Questions to it of one call, a minute.",
            doc="questions to the judge about one call, a minute; one is open at a time",
            least=1,
            most=60,
        ),
    ] = 6
    care_judge_at_once: Annotated[
        int,
        Setting(
            help="Questions to it of all calls, at the same time.",
            doc="questions to the judge about all calls at the same time, in each worker; more are not asked",
            least=1,
        ),
    ] = 20


@asynccontextmanager
async def judging(settings: JudgeSettings, counters: Counters) -> AsyncIterator[Judge | None]:
    """Who asks the judge, while the context is open; None without one. Raises CannotServe."""
    server = judge_named(settings)
    if not server:
        yield None
        return
    log.info("what is said in calls is read by %s at %s, too, for signs of danger", server.model, server.host)
    pause = MINUTE / settings.care_judge_minute
    async with judge_client(server, counters, pause, settings.care_judge_at_once) as judge:
        yield judge


def judge_named(settings: JudgeSettings) -> JudgeServer | None:
    """Where the judge is; None without one.

    Raises CannotServe for an address that is none, or by which words would go over a network in plain text, and for a
    key with which no question could be sent.
    """
    if not settings.care_judge_url:
        return None
    try:
        parts = urlsplit(settings.care_judge_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("https", "http") or "@" in parts.netloc or parts.query or parts.fragment:
        raise CannotServe("--care-judge-url: write a base URL such as https://api.openai.com/v1.", 2)
    if parts.scheme == "http" and not is_this_machine(host):
        raise CannotServe(
            "--care-judge-url: by http:// whoever is between would read what callers say. Use https://, or a server "
            "on this machine.",
            2,
        )
    if not settings.care_judge_model:
        raise CannotServe("--care-judge-model: say which model of --care-judge-url is to judge.", 2)
    if not settings.care_judge_key.isprintable():
        raise CannotServe("CARE_JUDGE_KEY: a key is one line. Does it end with a line break?", 2)
    return JudgeServer(settings.care_judge_url, settings.care_judge_model, settings.care_judge_key)
