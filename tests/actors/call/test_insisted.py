"""Words that the caller must have heard: owed, carried by an ask, heard or owed again, and at last written."""

from actors.call.insisted import MOST_TIMES, Insisted, What
from tests.kit.four import FOUR, TINA
from upstream.facts import TurnId

PERSONA = FOUR.get(TINA)
WORDS = "I am an AI"


def owing(what: What = What.DISCLOSURE, words: str = WORDS) -> Insisted:
    """These words are owed."""
    insisted = Insisted()
    insisted.owe(what, lambda _: words)
    return insisted


def says(insisted: Insisted, ask: int, what: What = What.DISCLOSURE) -> TurnId:
    """An ask says them, and nothing else."""
    assert insisted.lead(TurnId(ask), what, PERSONA, alone=True)
    insisted.began(TurnId(ask))
    return TurnId(ask)


def test_who_has_heard_every_word_has_heard_them() -> None:
    """And nobody else: one word less is not enough, one more does no harm."""
    for heard, owes in (("I am an", True), (WORDS, False), (f"{WORDS}. Namaste", False)):
        insisted = owing()
        insisted.stopped(says(insisted, 1), heard)
        assert insisted.owes(What.DISCLOSURE) is owes, heard


def test_after_three_times_they_are_written_once() -> None:
    """Nothing waits for them any more."""
    insisted = owing()
    for ask in range(MOST_TIMES):
        assert insisted.spent(PERSONA) == []
        insisted.stopped(says(insisted, ask + 1), "")
    assert insisted.next() is None
    assert insisted.spent(PERSONA) == [WORDS]
    assert insisted.spent(PERSONA) == []


def test_words_that_are_owed_anew_are_tried_anew() -> None:
    """As after three hours, or for another danger."""
    insisted = owing()
    for ask in range(MOST_TIMES):
        insisted.stopped(says(insisted, ask + 1), "")
    insisted.owe(What.DISCLOSURE, lambda _: "Still an AI")
    assert insisted.next() is What.DISCLOSURE
    assert insisted.lead(TurnId(9), What.DISCLOSURE, PERSONA) == "Still an AI"


def test_words_that_are_owed_anew_are_not_those_that_are_being_said() -> None:
    """Who hears these to their end has not heard the others, and who stops them owes nothing for that."""
    insisted = owing()
    before = says(insisted, 1)
    insisted.owe(What.DISCLOSURE, lambda _: "Still an AI")
    after = says(insisted, 2)
    insisted.stopped(before, "I")
    assert not insisted.owes(What.DISCLOSURE)
    insisted.stopped(after, "Still")
    assert insisted.owes(What.DISCLOSURE)


def test_help_is_said_first() -> None:
    """Before anything else that is owed."""
    insisted = owing()
    insisted.owe(What.HELP, lambda _: "Call 112")
    assert insisted.next() is What.HELP


def test_a_model_that_failed_over_them_answers_something_first() -> None:
    """Or the caller would wait for a sentence."""
    insisted = owing()
    insisted.failed(says(insisted, 1))
    assert (insisted.next(), insisted.rests) == (None, True)
    insisted.retry()
    assert (insisted.next(), insisted.rests) == (What.DISCLOSURE, False)


def test_what_was_heard_is_known_for_whoever_goes_on_with_the_call() -> None:
    """While they are said: words alone by what was heard of them, those before a greeting when all of it was heard."""
    for alone, heard, told in ((True, "I am", False), (True, WORDS, True), (False, WORDS, False)):
        insisted = owing()
        insisted.lead(TurnId(1), What.DISCLOSURE, PERSONA, alone=alone)
        assert insisted.heard(What.DISCLOSURE, {TurnId(1): heard}) is told
        assert insisted.heard(What.DISCLOSURE, {})
    assert not owing().heard(What.DISCLOSURE, {})


def test_an_answer_that_was_stopped_before_them_says_them_no_more() -> None:
    """Also if they are owed only after that; what was heard of it may have been enough."""
    for heard, owes in (("I", True), (f"{WORDS}, and more", False)):
        insisted = Insisted()
        insisted.stopped(TurnId(1), heard)
        insisted.owe(What.HELP, lambda _: WORDS)
        insisted.carry(TurnId(1), What.HELP, lambda heard: WORDS in heard)
        assert insisted.owes(What.HELP) is owes, heard


def test_an_answer_that_fails_is_made_again() -> None:
    """What was said of it before its connection was lost is not all that is heard of it."""
    insisted = Insisted()
    insisted.failed(TurnId(1), "I")
    insisted.owe(What.HELP, lambda _: WORDS)
    insisted.carry(TurnId(1), What.HELP, lambda heard: WORDS in heard)
    assert not insisted.owes(What.HELP)
