"""What an ended call holds, in bytes, though no garbage is collected: nothing large. Over real sockets."""

import gc
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pykka
import pytest

from actors.call.snapshot import SessionSnapshot
from actors.runtime import Hired
from actors.session import SessionInbox
from audio import wav
from engine.faults.faults import Fault, Stall
from engine.faults.script import Script
from phone import Phone
from phone.lasting import LastingPhone
from tests.kit.exchange import Exchange, exchange
from tests.kit.four import TINA
from tests.kit.held import nothing_large_is_left, uncollected
from tests.kit.insides import shown
from tests.kit.raw import Raw, clip_message, head
from tests.kit.story import run, until
from web.client_limits import ClientLimits

IMPATIENT = ClientLimits(unsent=4096, write_seconds=5.0, slowest_line=10**7)  # who reads has all of a reply in less
LONG = wav(struct.pack("<36000h", *(9000 * (n // 40 % 2) for n in range(36_000))) * 10)  # 15 s
MUCH = "I say more than fits. " * 40
CALLS = 1
OF_A_CALL = (
    "actors.call.", "actors.session.", "actors.bridge.", "actors.persona.", "actors.admission.waiting.Holding",
    "actors.admission.waiting.Parcel", "web.outbox.", "web.receiver.", "web.reading_budget.", "web.receive_buffer.",
    "web.reassembly.",
)  # fmt: skip

Session: TypeAlias = Hired[SessionInbox]
Act = Callable[[Exchange, Raw, Session], Awaitable[None]]


async def reads_nothing(line: Exchange, raw: Raw, session: Session) -> None:
    """A whole reply waits in the outbox."""
    line.mind.script = MUCH
    raw.say(type="text", text="tell me")
    await until(lambda: line.waiting.bytes > 300_000)


async def is_being_answered(line: Exchange, raw: Raw, session: Session) -> None:
    """Much of a reply has come from the model; it is streamed at its pace."""
    line.mind.script = MUCH
    raw.say(type="config", astrologer_id=TINA, audio={"mode": "stream"})
    raw.say(type="text", text="tell me")
    await until(lambda: shown(session, SessionSnapshot).unsent > 300_000)


async def has_sent_clips(line: Exchange, raw: Raw, session: Session) -> None:
    """One is decoded and being asked, others wait."""
    line.ear.free.clear()
    for _ in range(3):
        raw.send(clip_message(LONG))
    await until(lambda: any(isinstance(said.content, bytes) for said in shown(session, SessionSnapshot).turns))


async def has_asked_all(line: Exchange, raw: Raw, session: Session) -> None:
    """Three clips were told to the bridge."""
    for _ in range(3):
        raw.send(clip_message(LONG))
    await until(lambda: sum(said.asked for said in shown(session, SessionSnapshot).turns) == 3)


async def sends_half_a_frame(line: Exchange, raw: Raw, session: Session) -> None:
    """The rest will not come."""
    raw.writer.write(head(3 * 2**20) + bytes(2 * 2**20))
    await until(lambda: line.waiting.bytes >= 2 * 2**20)


async def vanishes(line: Exchange, raw: Raw, session: Session) -> None:
    """The connection is cut."""
    raw.vanish()


async def stays_deaf(line: Exchange, raw: Raw, session: Session) -> None:
    """They are given up by the server."""


async def hangs_up(line: Exchange, raw: Raw, session: Session) -> None:
    """In order."""
    raw.say(type="end")
    await raw.closed()


async def sees_a_crash(line: Exchange, raw: Raw, session: Session) -> None:
    """Of their session."""
    session.tell("no message of ours")  # type: ignore[arg-type]
    await raw.closed()


OFTEN: list[tuple[Act, Act]] = [
    (reads_nothing, vanishes),
    (has_sent_clips, sees_a_crash),
    (sends_half_a_frame, vanishes),
]
ENDS: list[tuple[Act, Act]] = [
    (reads_nothing, stays_deaf),
    (is_being_answered, vanishes),
    (is_being_answered, hangs_up),
    (is_being_answered, sees_a_crash),
    (has_sent_clips, vanishes),
    (has_sent_clips, hangs_up),
    (sends_half_a_frame, sees_a_crash),
]


async def call(line: Exchange, user: str, state: Act, end: Act) -> None:
    """From the first word until the session is gone."""
    raw = await Raw.dial(line.url, user, f"?astrologer_id={TINA}")
    await raw.hear("audio_response")
    session = line.session(user)
    await state(line, raw, session)
    await end(line, raw, session)
    await until(lambda: len(pykka.ActorRegistry.get_all()) == 1)
    line.ear.free.set()
    raw.vanish()


ALL = [*OFTEN, *(pytest.param(*acts, marks=pytest.mark.thorough) for acts in ENDS)]


@pytest.mark.parametrize(("state", "end"), ALL, ids=lambda act: act.__name__)
def test_nothing_large_outlives_a_call(state: Act, end: Act) -> None:
    """Whatever it was about, and however it ended; nothing is counted as waiting either."""

    async def story() -> None:
        async with exchange(client_limits=IMPATIENT) as line:
            await call(line, "first", state, end)  # what is loaded once stays
            with uncollected():
                for number in range(CALLS):
                    await call(line, f"user-{number}", state, end)
                await nothing_large_is_left()
            assert line.waiting.bytes == 0

    run(story())


@pytest.mark.thorough
def test_nothing_large_outlives_an_upstream_that_reads_nothing() -> None:
    """What was on its way to it, clips in base64, goes with the call."""
    deaf = Script(((Fault(Stall(), on="response.create", nth=2),),), repeat=True)

    async def story() -> None:
        async with exchange(faults=deaf, client_limits=IMPATIENT) as line:
            await call(line, "first", has_asked_all, vanishes)
            with uncollected():
                for number in range(CALLS):
                    await call(line, f"user-{number}", has_asked_all, vanishes)
                await nothing_large_is_left()
            assert line.waiting.bytes == 0

    run(story())


@pytest.mark.parametrize("resumable", [pytest.param(False, marks=pytest.mark.thorough), True])
def test_of_an_ended_call_no_object_of_ours_is_left(resumable: bool) -> None:
    """They are freed as they are dropped: what is in a cycle would wait for the collector, which comes rarely."""

    async def story() -> None:
        async with exchange() as line:

            async def call() -> None:
                async with LastingPhone(line.url, "one") if resumable else Phone(line.url, "one") as phone:
                    await phone.choose(TINA, mode="stream")
                    await phone.hear("response_done")
                await until(lambda: len(pykka.ActorRegistry.get_all()) == 1)

            await call()  # what is made once stays
            gc.collect()
            before = ours()
            gc.disable()
            try:
                await call()
                await until(lambda: ours() <= before, lambda: f"{ours() - before}")
            finally:
                gc.enable()

    run(story())


def ours() -> Counter[str]:
    """The living objects of our classes that belong to a call."""
    kinds = (type(one) for one in gc.get_objects())
    names = (f"{kind.__module__}.{kind.__name__}" for kind in kinds)
    return Counter(name for name in names if name.startswith(OF_A_CALL))
