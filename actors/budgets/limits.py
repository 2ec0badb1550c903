"""What may be spent: by a call, by a user in a day, and by the whole server in an hour and in a day."""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from actors.setting import Setting

MICRO = 1_000_000  # parts of a dollar in which money is counted
LOW_SHARE = 0.8  # of a limit is spent: the caller is told


class Scope(Enum):
    """Of whom a limit is, and for how long."""

    CALL = "call"
    USER = "user"
    HOUR = "hour"
    DAY = "day"


OF = {
    Scope.CALL: "this call may cost",
    Scope.USER: "your calls may cost in a day",
    Scope.HOUR: "this server may spend in an hour",
    Scope.DAY: "this server may spend in a day",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so much (`most`) of `unit`, which is "tokens" or "micro_usd"."""

    scope: Scope
    unit: str
    most: int

    @property
    def name(self) -> str:
        """Such as "call_usd": the setting without its first word."""
        return f"{self.scope.value}_{self.unit.removeprefix('micro_')}"

    @property
    def low(self) -> str:
        """What a caller is told before nothing is left."""
        return f"Not much is left of what {OF[self.scope]}: this call ends soon."

    def spent(self, again: str) -> str:
        """Why a call ends or does not begin; `again` is when the next period begins."""
        after = "" if self.scope is Scope.CALL else f": call again after {again}"
        return f"what {OF[self.scope]} is spent{after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """The limits, each of them a setting; None is no limit. Money is in US dollars."""

    budget_call_tokens: Annotated[
        int | None, Setting(help="Of one call.", doc="tokens that one call may use, see [Budgets](#budgets)", least=1)
    ] = None
    budget_call_usd: Annotated[
        float | None, Setting(help="Of one call.", doc="dollars that one call may cost upstream", least=0.01)
    ] = None
    budget_user_tokens: Annotated[
        int | None, Setting(help="Of one user, a day.", doc="tokens that the calls of one user may use a day", least=1)
    ] = None
    budget_user_usd: Annotated[
        float | None,
        Setting(help="Of one user, a day.", doc="dollars that the calls of one user may cost a day", least=0.01),
    ] = None
    budget_hour_tokens: Annotated[
        int | None, Setting(help="Of all, an hour.", doc="tokens that all calls together may use an hour", least=1)
    ] = None
    budget_hour_usd: Annotated[
        float | None,
        Setting(help="Of all, an hour.", doc="dollars that all calls together may cost an hour", least=0.01),
    ] = None
    budget_day_tokens: Annotated[
        int | None, Setting(help="Of all, a day.", doc="tokens that all calls together may use a day", least=1)
    ] = None
    budget_day_usd: Annotated[
        float | None, Setting(help="Of all, a day.", doc="dollars that all calls together may cost a day", least=0.01)
    ] = None
    day_zone: Annotated[
        str,
        Setting(
            help="Time zone in which a day begins.",
            doc="the time zone, as `Asia/Kolkata`, at whose midnight a day begins: of budgets, and of free seconds",
        ),
    ] = "UTC"

    def limits(self) -> tuple[Limit, ...]:
        """Those that are set."""
        found = []
        for scope in Scope:
            tokens, usd = (getattr(self, f"budget_{scope.value}_{unit}") for unit in ("tokens", "usd"))
            if tokens is not None:
                found.append(Limit(scope, "tokens", tokens))
            if usd is not None:
                found.append(Limit(scope, "micro_usd", round(usd * MICRO)))
        return tuple(found)
