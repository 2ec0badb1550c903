"""What must hold when the hour is over: each claim is a target with what was found."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bench.attacks.memory import ALIKE, AND_MB, Held
from bench.model import Model
from bench.report import Target
from personas import Catalogue
from personas.prompt import YOUNG_CALLER
from tests.hostile import words
from tests.kit import secrets

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (?:DEBUG|INFO|WARNING) +[\w.]+: ")
TOKEN = re.compile(r"call1\.[\w-]{20,}\.[\w-]{20,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}")
INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
LATE = "actors.runtime.watchdog: the loop is late by "
SECTIONS = re.compile(r"(?m)^\s*# (.*)$")
ORDER = ["Persona", "Language", "Expertise", "Style", "Conduct", YOUNG_CALLER, "Caller", "Today"]
FAILURES = ("500", "closed with 4500", "closed with 1011", "internal")
MOST_SHOWN = 3
RATIO = 2.0


def felt(rows: Iterable[Mapping[str, Any]]) -> Target:
    """The p99 of callers who behave, in every phase."""
    rows = list(rows)
    over = [row for row in rows if row["ratio"] > RATIO]
    got = f"{max(row['ratio'] for row in rows):.2f} × at most" + "".join(f"; {row['attack']}" for row in over)
    sure = [row for row in over if not row["invalid"]]
    return Target("p99 of callers who behave", f"≤ {RATIO:g} × that before each attack", got, _met(over, sure))


def _met(over: list[Any], sure: list[Any]) -> bool | None:
    """None if nothing speaks against it but readings that were disturbed."""
    return None if over and not sure else not over


def served(lost: int, came: Mapping[str, Any]) -> Target:
    """No call of theirs ended. Whether newcomers are let in is told, and no claim: a server may be full."""
    instead = ", ".join(f"{why}: {count}" for why, count in came["instead"].items())
    got = f"{lost} calls lost; {came['served']} of {came['of']} new callers were let in" + f" ({instead})" * bool(
        instead
    )
    return Target("callers who behave", "no call lost", got, lost == 0)


def flat(before: Held, after: Held, processes: tuple[int, int]) -> Target:
    """Memory after the attacks is what it was after the first ones, in the server and each decoder; as many of them."""
    got = f"server {before.server:.0f} → {after.server:.0f} MB, {processes[0]} → {processes[1]} processes with"
    got += f" {before.children:.0f} → {after.children:.0f} MB"
    must = f"≤ {ALIKE:g} × and {AND_MB} MB more for each process than after warming up, as many processes"
    fits = after.server <= before.server * ALIKE + AND_MB
    fits = fits and after.children <= before.children * ALIKE + AND_MB * processes[0]
    return Target("memory", must, got, fits and processes[1] <= processes[0])


def nothing_left(before: Mapping[str, float], after: Mapping[str, float]) -> Target:
    """All actors, tasks, connections, threads and processes are gone that the attacks brought."""
    more = {name: after[name] - before.get(name, 0) for name in after if after[name] > before.get(name, 0)}
    got = ", ".join(f"{name} +{count:g}" for name, count in more.items()) or "nothing"
    return Target("left when all have hung up", "nothing", got, not more)


def secret_to_callers(leaks: list[str]) -> Target:
    """No answer to an attacker has a key, a prompt, a traceback or a path of the server."""
    return _none("secrets in what attackers were sent", leaks)


def honest(told: Counter[str]) -> Target:
    """No attack made the server fail."""
    return _none("failures that attackers were told", [f"{what} ({told[what]})" for what in FAILURES if told[what]])


def log_keeps(log: str) -> list[Target]:
    """The log has no secret, no word of a caller, no crash, and no line that somebody else wrote."""
    lines = log.rstrip("\n").split("\n")
    secrets.found()
    for line in lines:
        secrets.look_in_log("log", line)
    told = secrets.found() + [line for line in lines if words.SAID in line or TOKEN.search(line)]
    forged = [line for line in _others(lines) if not LINE.match(line) or INVISIBLE.search(line)]
    return [
        _none(f"secrets and words of callers in {len(lines)} lines of the log", told),
        _none("lines of the log that are forged, crashes, or have control characters", forged),
    ]


def _others(lines: list[str]) -> Iterator[str]:
    """All lines but the stacks that the watchdog writes of a late loop, as on a busy machine."""
    stack = False
    for line in lines:
        stack = LATE in line or (stack and line.startswith("  "))
        if not stack or LATE in line:
            yield line


def _none(what: str, found: list[str]) -> Target:
    got = "; ".join(one[:300] for one in found[:MOST_SHOWN]) or "none"
    return Target(what, "none", f"{len(found)}: {got}" if found else got, not found)


class Prompts:
    """Looks at what the model was told of callers: no word of theirs becomes a part of the instructions."""

    def __init__(self) -> None:
        self._standing = [persona.standing for persona in Catalogue.load().all()]
        self.seen = 0
        self.odd: list[str] = []

    def look(self, models: Iterable[Model]) -> None:
        """At the instructions of all connections that there are now."""
        for model in models:
            instructions = model._session.get("instructions")
            if instructions is None:
                continue
            self.seen += 1
            sections = SECTIONS.findall(instructions)
            if not instructions.startswith(tuple(self._standing)) or not _ordered(sections):
                self.odd.append(repr(instructions[-300:]))

    def target(self) -> Target:
        """The claim."""
        return _none(f"instructions of {self.seen} sessions with a section that callers wrote", self.odd)


def _ordered(sections: list[str]) -> bool:
    """Each section at most once, in their order."""
    places = [ORDER.index(section) if section in ORDER else -1 for section in sections]
    return places == sorted(set(places)) and -1 not in places
