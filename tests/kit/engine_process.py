"""A local engine in a process of its own, for all servers that a test process starts: as the workers of one have it.

To load an engine takes as long as to start a server. Tests of what an engine does to its server let that start its own.
"""

import json
import subprocess
import threading
from functools import cache
from secrets import token_urlsafe

from cage import clean_environment
from engine.child import COMMAND, INHERITED, PREFIXES, TOKEN
from tests.kit import story
from upstream.models import LOCAL

_engines: list[subprocess.Popen[str]] = []


@cache
def engine() -> dict[str, str]:
    """The environment of a server that this engine answers. It ends with the test process, whose pipe is its stdin."""
    token = token_urlsafe()
    inherited = clean_environment(*INHERITED, prefixes=PREFIXES)
    environment = {**inherited, TOKEN: token, "ENGINE_WAIT": str(story.WITHIN), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*COMMAND, "--port", "0"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    _engines.append(process)
    story.kept.add(process.pid)
    assert process.stdout
    for line in process.stdout:
        if url := json.loads(line).get("ready"):
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return {"UPSTREAM_URL": url, "UPSTREAM_API_KEY": token, "UPSTREAM_MODEL": LOCAL}
    raise AssertionError("the engine did not start")
