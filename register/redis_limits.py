"""The limits of a fleet in Redis."""

from collections.abc import Sequence

from register.port import Claim, Spent, ToldAge
from register.redis_commands import Commands, ms


class RedisLimits:
    """Each operation is one script or command. Keys begin with `prefix`."""

    def __init__(self, commands: Commands, prefix: str) -> None:
        self._commands, self._prefix = commands, prefix

    async def occupy(self, persona: str, claim: Claim, most: int, seconds: float) -> bool:
        keys = self._places(persona)
        return bool(await self._commands.run("occupy", keys, claim.user, claim.epoch, most, ms(seconds)))

    async def vacate(self, persona: str, claim: Claim) -> None:
        await self._commands.run("vacate", self._places(persona), claim.user, claim.epoch)

    async def begins(self, user: str, most: int, seconds: float) -> bool:
        return bool(await self._commands.run("begins", [f"{self._prefix}begun:{user}"], most, ms(seconds)))

    async def use(self, token: str, most: int, seconds: float, times: int = 1) -> bool:
        return int(await self._commands.run("add", [f"{self._prefix}used:{token}"], times, ms(seconds))) <= most

    async def spend(self, spent: Sequence[Spent]) -> tuple[int, ...]:
        calls = [([f"{self._prefix}spent:{one.key}"], (one.micro, ms(one.seconds))) for one in spent]
        return tuple(int(total) for total in await self._commands.run_each("add", calls))

    async def youngest(self, user: str, told: ToldAge | None) -> ToldAge | None:
        said = (told.under, ms(told.seconds)) if told else (0, 1)
        known = await self._commands.run("youngest", [f"{self._prefix}under:{user}"], *said)
        return ToldAge(int(known[0]), int(known[1]) / 1000) if known else None

    async def opening(self, a_second: float, within: float) -> float | None:
        times = round(1e6 / a_second), round(1e6 * within)
        wait = int(await self._commands.run("opening", [f"{self._prefix}opening"], *times))
        return None if wait < 0 else wait / 1e6

    def _places(self, persona: str) -> list[str]:
        return [f"{self._prefix}places:{{{persona}}}", f"{self._prefix}holders:{{{persona}}}"]
