import asyncio
import datetime
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from engine.mind.mind import Mind
from engine.mind.prompt import parse_prompt, spoken_language
from engine.mind.replies import phrases, rest_after
from engine.mind.topics import topic_of
from personas.prompt import PRICED, YOUNG, build, parting
from realtime.contract import GO_ON, SAY_EXACTLY
from tests.kit.story import run
from upstream.facts import Turn

ENGLISH = """# Persona
You are Mohit.

# Language
Language: English (en). Speak it.

# Expertise
Vedic Marriage: marriage, delay

# Today
2026-11-22
"""
HINDI = ENGLISH.replace("English (en)", "Hindi (hi)")
TODAY = datetime.date(2026, 11, 22)


def answer(instructions: str, *turns: Turn, mind: Mind | None = None) -> str:
    return run((mind or Mind()).answer(instructions, turns))


def user(text: str) -> Turn:
    return Turn("user", text)


def talk(instructions: str, lines: Sequence[str]) -> list[str]:
    """The answers of one call in which the caller says these lines."""
    turns: list[Turn] = []
    for line in lines:
        turns.append(user(line))
        turns.append(Turn("assistant", answer(instructions, *turns)))
    return [turn.text for turn in turns if turn.role == "assistant"]


def test_a_prompt_is_read_by_its_labels() -> None:
    """Language, expertise and date come from the labelled lines and nowhere else."""
    prompt = parse_prompt(HINDI)

    assert (prompt.language, prompt.expertise, prompt.today) == ("hi", "Vedic Marriage: marriage, delay", "2026-11-22")
    assert parse_prompt("Speak Hindi (hi). You know Today 2026-11-22.").language is None


@pytest.mark.parametrize(("line", "language"), [("कब होगी", "hi"), ("when", "en"), ("", "en")])
def test_without_a_language_line_the_script_decides(line: str, language: str) -> None:
    """A plain prompt is answered in the language that the caller writes."""
    assert spoken_language(parse_prompt("Be kind."), [user(line)]) == language


def test_demanded_words_are_said_exactly() -> None:
    """Nothing is added and nothing is left out, over several lines too."""
    words = "नमस्ते, मैं टीना हूँ।\nआप कैसे हैं?"

    assert answer(f"{HINDI}\n\n{SAY_EXACTLY}\n{words}", user("hello")) == words


QUESTIONS = [(ENGLISH, "Will my boyfriend come back to me?"), (HINDI, "मेरी शादी में देरी क्यों हो रही है?")]


@pytest.mark.parametrize(("instructions", "question"), QUESTIONS)
def test_an_answer_that_was_cut_off_goes_on(instructions: str, question: str) -> None:
    """After every word of it the rest follows, and nothing is said twice."""
    earlier = (user("Namaste"), Turn("assistant", "Namaste."), user(question))
    whole = answer(instructions, *earlier)
    words = whole.split()
    for heard in range(1, len(words)):
        cut = Turn("assistant", " ".join(words[:heard]).lower().rstrip(".,?।"))
        assert answer(f"{instructions}\n\n{GO_ON}", *earlier, cut) == " ".join(words[heard:])


@pytest.mark.parametrize(("instructions", "question"), QUESTIONS)
def test_a_rest_that_was_cut_off_goes_on_too(instructions: str, question: str) -> None:
    """Also when nothing of the rest was heard."""
    words = answer(instructions, user(question)).split()
    for end in (4, 9):
        parts = (Turn("assistant", " ".join(words[:4])), Turn("assistant", " ".join(words[4:end])))
        assert answer(f"{instructions}\n\n{GO_ON}", user(question), *parts) == " ".join(words[end:])


@pytest.mark.parametrize(("instructions", "question"), QUESTIONS)
def test_what_was_heard_to_its_end_is_closed_with_a_question(instructions: str, question: str) -> None:
    """There is no rest, and an answer is never empty."""
    whole = answer(instructions, user(question))
    closing = answer(f"{instructions}\n\n{GO_ON}", user(question), Turn("assistant", whole))

    assert closing == phrases(instructions[instructions.index("(") + 1 :][:2])["closing"]
    assert closing.endswith("?")


@pytest.mark.parametrize(("instructions", "question"), QUESTIONS)
@pytest.mark.parametrize("last", [(), (Turn("assistant", "Something else entirely."),), (Turn("assistant", ""),)])
def test_what_was_not_its_beginning_is_said_whole(instructions: str, question: str, last: tuple[Turn, ...]) -> None:
    """When other words, or none, were heard, the whole answer is said."""
    assert answer(f"{instructions}\n\n{GO_ON}", user(question), *last) == answer(instructions, user(question))


@pytest.mark.parametrize(
    ("heard", "whole", "rest"),
    [
        ("Well, I", "well I see it.", "see it."),
        ("I see — it", "I see, it is there.", "is there."),
        ("don’t worry", "Don't worry, please.", "please."),
        ("मैं समझ", "मैं समझ गई।", "गई।"),
        ("मै समझ", "मैं समझ गई।", None),  # a vowel sign makes another word
        ("I see it all", "I see it.", None),
        ("...", "I see it.", None),
        ("I see it", "", None),
        ("I see it", "I see it. —", "—"),
    ],
)
def test_words_are_compared_by_their_letters(heard: str, whole: str, rest: str | None) -> None:
    """Marks and capitals of a transcript do not matter, letters and vowel signs do."""
    assert rest_after(heard, whole) == rest


def test_a_chat_server_is_told_to_go_on() -> None:
    """The demand stays in its instructions, and the cut answer in its turns."""

    async def whole() -> Any:
        async with chat_server({"choices": [{"message": {"content": "and so on."}}]}) as (url, asked):
            turns = (user("Will I marry?"), Turn("assistant", "The seventh"))
            assert await Mind(url, timeout=60).answer(f"{ENGLISH}\n\n{GO_ON}", turns) == "and so on."
            return asked[0]["messages"]

    prompt, *turns = run(whole())
    assert GO_ON in prompt["content"]
    assert turns[-1] == {"role": "assistant", "content": "The seventh"}


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Should I accept the marriage proposal my parents found for me?", "proposal"),
        ("Will my boyfriend come back to me?", "return"),
        ("मेरी शादी में देरी क्यों हो रही है?", "delay"),
        ("मरी शादि मे देरी क्यो हो रही है", "delay"),
        ("क्या वह मुझसे प्यार करता है?", "love"),
        ("meri shaadi kab hogi", "marriage"),
        ("kya woh mujhse pyaar karta hai", "love"),
        ("naukri kab lagegi", "career"),
        ("मेरी बेटी की शादी कब होगी", "marriage"),
        ("mera paisa wapas kab milega", "money"),
        ("Will I ever have children?", "children"),
        ("मुझे विदेश जाना है", "travel"),
        ("My mother's health is bad", "health"),
        ("Which gemstone should I wear?", "remedies"),
        ("मेरी परीक्षा कैसी होगी", "study"),
        ("My in-laws are difficult", "family"),
        ("आप इंसान हैं क्या", "who"),
        ("Are you a robot?", "who"),
        ("I want to kill myself", "crisis"),
        ("मैं मरना चाहती हूँ", "crisis"),
        ("My husband beats me", "violence"),
        ("Thank you, bye", "goodbye"),
        ("शुक्रिया", "thanks"),
        ("Namaste", "greeting"),
        ("I will arrive at noon", None),
    ],
)
def test_topics_are_recognised(text: str, topic: str | None) -> None:
    """In both languages, both scripts, and as the ear may misspell them."""
    assert topic_of(text) == topic


def test_english_says_back_the_words() -> None:
    """I becomes you where that is simple."""
    said = answer(ENGLISH, user("Will my boyfriend come back to me?"))

    assert "will your boyfriend come back to you?" in said
    assert "you were born in May" in answer(ENGLISH, user("I was born in May."))


@pytest.mark.parametrize("text", ["Can you help me find love?", "meri shaadi kab hogi", "love " * 30])
def test_what_cannot_be_turned_is_named_by_its_topic(text: str) -> None:
    """Words to the astrologer, Hindi in Latin letters and long speeches are not said back raw."""
    assert text.strip(" ?").lower() not in answer(ENGLISH, user(text)).lower()


def test_hindi_never_says_back_the_raw_words() -> None:
    """Its ear mistakes one word for another, so only the topic is named."""
    said = answer(HINDI, user("मरी शादी में देरी क्यों हो रही है"))

    assert "विवाह में देरी" in said
    assert "मरी" not in said
    assert not re.search("[A-Za-z]", said)


def test_a_reply_is_short_and_asks_one_thing() -> None:
    """Two or three sentences to be spoken, one question at the end."""
    for instructions, text in ((ENGLISH, "My marriage is delayed."), (HINDI, "शादी में देरी है")):
        said = answer(instructions, user(text))
        assert 2 <= len(re.findall(r"[.?!।]+", said)) <= 3
        assert said.count("?") == 1
        assert said.endswith("?")
        assert not re.search(r"[*#\n-]", said)


@pytest.mark.parametrize(("instructions", "text"), [(ENGLISH, "My marriage is late."), (HINDI, "शादी में देरी है")])
def test_birth_is_asked_in_turn_and_once(instructions: str, text: str) -> None:
    """Date, time, place, each in a turn of its own, answered or not; then about the topic."""
    asked = phrases(parse_prompt(instructions).language or "en")["questions"]
    said = talk(instructions, [text, "12 March 1990", "पता नहीं don't know", "Pune", "hm"])

    for turn, fact in enumerate(("date", "time", "place")):
        assert said[turn].endswith(asked[fact][0])
    assert not any(
        question in reply for reply in said[3:] for fact in ("date", "time", "place") for question in asked[fact]
    )


def test_what_was_told_unasked_is_not_asked() -> None:
    """Who gives the date of birth with the question is asked for the time next."""
    said = answer(ENGLISH, user("I was born on 12 March 1990. When will I marry?"))

    assert said.endswith(phrases("en")["questions"]["time"][0])


@pytest.mark.parametrize(("instructions", "text"), [(ENGLISH, "When will my marriage be?"), (HINDI, "शादी कब होगी")])
def test_a_call_does_not_repeat_itself(instructions: str, text: str) -> None:
    """Over ten turns on one topic no sentence with something to say comes twice in a row of five."""
    said = talk(instructions, [text] * 10)

    for start in range(6):
        sentences = [part for reply in said[start : start + 5] for part in re.split(r"(?<=[.।])\s", reply)[1:]]
        assert len(sentences) == len(set(sentences))


def test_a_reply_that_lost_its_words_is_not_begun_again() -> None:
    """After a truncation the mind does not know what it said, and says something else."""
    first = answer(ENGLISH, user("Hello"))

    assert answer(ENGLISH, user("Hello"), Turn("assistant", ""), user("Hello")) != first


def test_what_was_not_heard_is_asked_again() -> None:
    """In other words each time."""
    english, hindi = talk(ENGLISH, ["", ""]), talk(HINDI, ["", ""])

    assert "once more" in english[0]
    assert english[0] != english[1]
    assert "फिर" in hindi[0]


def test_it_says_that_it_is_an_ai() -> None:
    """Asked, it never claims to be human; unasked, it does not speak of itself."""
    assert "I am an AI" in answer(ENGLISH, user("Are you human?"))
    assert "एआई" in answer(HINDI, user("क्या आप इंसान हैं?"))
    assert "AI" not in answer(ENGLISH, user("When will I marry?"))


@pytest.mark.parametrize(
    ("instructions", "text"),
    [(ENGLISH, "I want to end my life"), (HINDI, "मैं जीना नहीं चाहता"), (HINDI, "I want to die")],
)
def test_a_crisis_is_met_with_help(instructions: str, text: str) -> None:
    """It names numbers to call and asks after someone near; astrology is not spoken of."""
    said = answer(instructions, user(text))

    assert "14416" in said
    assert "112" in said
    assert "house" not in said
    assert "भाव" not in said


def test_health_goes_to_a_doctor_first() -> None:
    """And no illness is read from a chart."""
    assert "doctor" in answer(ENGLISH, user("I am very sick, what do the stars say?"))
    assert "डॉक्टर" in answer(HINDI, user("मेरी तबीयत खराब है"))


def test_today_is_the_prompts_day() -> None:
    """The date comes from the prompt, not from the machine."""
    assert "22 November 2026" in answer(ENGLISH, user("What is today's date?"))
    assert "22 नवंबर 2026" in answer(HINDI, user("आज की तारीख क्या है"))


def test_every_topic_has_words_in_both_languages() -> None:
    """What is recognised can be answered, and the two languages have the same shape."""
    english, hindi = phrases("en"), phrases("hi")

    assert english["topics"].keys() == hindi["topics"].keys()
    assert english["alone"].keys() == hindi["alone"].keys()
    for language in (english, hindi):
        for topic in language["topics"].values():
            assert len(topic["says"]) >= 3
            assert len(topic["questions"]) >= 3
            assert topic["label"]


@asynccontextmanager
async def chat_server(reply: Any, status: int = 200) -> AsyncIterator[tuple[str, list[Any]]]:
    """An OpenAI-compatible server with one answer; gives its base address and what it was asked."""
    asked: list[Any] = []

    async def complete(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response(reply, status=status)

    application = web.Application()
    application.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1/", asked
    finally:
        await runner.cleanup()


def ask_server(reply: Any, status: int = 200) -> tuple[str, list[Any]]:
    async def whole() -> tuple[str, list[Any]]:
        async with chat_server(reply, status) as (url, asked):
            mind = Mind(url, model="small", timeout=60)
            return await mind.answer(ENGLISH, (user("When will I marry?"),)), asked

    return run(whole())


def test_a_chat_server_thinks_instead() -> None:
    """It is told the prompt and the turns, and its words are said."""
    said, (asked,) = ask_server({"choices": [{"message": {"content": " Soon, perhaps. "}}]})

    assert said == "Soon, perhaps."
    assert asked["model"] == "small"
    assert asked["messages"] == [
        {"role": "system", "content": ENGLISH},
        {"role": "user", "content": "When will I marry?"},
    ]


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ({"error": "overloaded"}, 500),
        ({}, 200),
        ([], 200),
        ({"choices": []}, 200),
        ({"choices": [{"message": {"content": " "}}]}, 200),
        ({"choices": [{"message": {"content": None}}]}, 200),
    ],
)
def test_a_chat_server_that_fails_is_not_missed(reply: Any, status: int) -> None:
    """Whatever it answers wrongly, the mind has words of its own."""
    said, _ = ask_server(reply, status)

    assert "when will you marry" in said


def test_a_chat_server_that_is_not_there_or_slow_is_not_missed() -> None:
    """A closed port and a server that never answers cost no more than the timeout."""

    async def silent() -> str:
        hold = asyncio.Event()

        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await hold.wait()
            writer.close()

        server = await asyncio.start_server(listen, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        try:
            mind = Mind(f"http://127.0.0.1:{port}/v1", timeout=0.1)
            return await mind.answer(ENGLISH, (user("When will I marry?"),))
        finally:
            hold.set()
            server.close()
            await server.wait_closed()

    assert "when will you marry" in run(silent())
    closed = Mind("http://127.0.0.1:1/v1", timeout=1)
    assert "when will you marry" in answer(ENGLISH, user("When will I marry?"), mind=closed)


def test_demanded_words_do_not_need_the_chat_server() -> None:
    """A greeting is said exactly, whoever thinks."""
    mind = Mind("http://127.0.0.1:1/v1", timeout=1)

    assert answer(f"{ENGLISH}\n{SAY_EXACTLY}\nNamaste.", mind=mind) == "Namaste."


LATER = [
    "When will I get married?",
    "Will he love me?",
    "shall I be rich",
    "मेरी शादी कब होगी",
    "क्या वह मुझसे प्यार करता है",
]


@pytest.mark.parametrize("instructions", [ENGLISH, HINDI])
def test_a_minor_hears_no_forecast_and_is_asked_for_no_birth(instructions: str) -> None:
    """As the prompt that the server writes for one says; what they ask is put off kindly."""
    young = build(instructions, today=TODAY, young=YOUNG)
    words = phrases("hi" if instructions is HINDI else "en")
    said = talk(young, LATER)
    forecasts = [each for topic in ("marriage", "love", "money", "delay") for each in words["topics"][topic]["says"]]
    births = [each for fact in ("date", "time", "place") for each in words["questions"][fact]]
    assert not [each for answer in said for each in (*forecasts, *births) if each in answer]
    assert all(any(each in answer for each in words["young"]["says"]) for answer in said)
    assert any(each in talk(instructions, LATER)[0] for each in forecasts + births)


def test_a_minor_may_speak_of_school_and_of_danger() -> None:
    """As others do."""
    young = build(ENGLISH, today=TODAY, young=YOUNG)
    (study,) = talk(young, ["I am afraid of my exam"])
    assert any(each in study for each in phrases("en")["topics"]["study"]["says"])
    assert talk(young, ["I want to die"]) == talk(ENGLISH, ["I want to die"])


@pytest.mark.parametrize("adults_only", [True, False])
def test_who_must_leave_a_minor_says_goodbye(adults_only: bool) -> None:
    """The persona is priced, or for adults, and it came out late."""
    told = build(ENGLISH, today=TODAY, young=parting(adults_only=adults_only))
    assert (PRICED in told) is not adults_only
    assert talk(told, ["When will I get married?"]) == [phrases("en")["young"]["parting"][0]]
