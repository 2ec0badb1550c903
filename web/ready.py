"""Whether a call would be answered now: found out at most once a second, however many ask."""

import asyncio
from collections.abc import Awaitable, Callable

from actors.messages.admission import Inquired, Report
from actors.runtime import Ref

INQUIRY_SECONDS = 1.0
FRESH_SECONDS = 1.0


class ReportReply:
    """A Ref for one Report."""

    def __init__(self) -> None:
        self.report: asyncio.Future[Report] = asyncio.get_running_loop().create_future()

    def tell(self, message: Report, /) -> None:
        if not self.report.done():
            self.report.set_result(message)


class Ready:
    """A request is answered with what is known, or waits for the one question that is under way."""

    def __init__(
        self, supervisor: Ref[Inquired], would_answer: Callable[[], Awaitable[bool]], fresh: float = FRESH_SECONDS
    ) -> None:
        """`would_answer` is true if the model would answer a call now; an answer holds for `fresh` seconds."""
        self._supervisor, self._would_answer, self._fresh = supervisor, would_answer, fresh
        self._asking: asyncio.Task[bool] | None = None

    async def now(self) -> bool:
        """True if a call would be let in and answered."""
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(), name="is it ready?")
            self._asking.add_done_callback(self._asked)
        return await asyncio.shield(self._asking)

    def _asked(self, asking: "asyncio.Task[bool]") -> None:
        asyncio.get_running_loop().call_later(self._fresh, self._forget)

    def _forget(self) -> None:
        self._asking = None

    async def _ask(self) -> bool:
        reply = ReportReply()
        self._supervisor.tell(Inquired(reply))
        try:
            report = await asyncio.wait_for(reply.report, INQUIRY_SECONDS)
        except TimeoutError:
            return False
        return report.admitting and await self._would_answer()
