"""A call's transcripts, as they come: in pieces, out of order, and as answers to what was asked."""

from collections.abc import Iterator

import pytest

from care.folding import WINDOW, Folded
from care.helplines import numbers
from care.listening import STEP, Listener
from care.signs import Signs, Worried, shipped

SUICIDE, UNSURE = Worried("suicide", sure=True), Worried("suicide", sure=False)


class Counting(Signs):
    """The lists that ship, and how often a text was looked at."""

    looks = 0

    def __init__(self) -> None:
        self.__dict__ |= vars(shipped())

    def find(self, words: Folded) -> Iterator[tuple[Worried, int]]:
        Counting.looks += bool(words)
        return super().find(words)


@pytest.fixture
def listener() -> Listener:
    """It knows India's numbers."""
    return Listener(shipped(), numbers("IN", "suicide"))


def pieces(text: str) -> list[str]:
    """As recognisers send them: a word at a time, the blank first."""
    first, *others = text.split(" ")
    return [first, *(f" {word}" for word in others)]


def test_a_sign_is_told_while_the_caller_still_speaks(listener: Listener) -> None:
    """As soon as the words behind it cannot change it."""
    told = [listener.heard(1, piece) for piece in pieces("I want to die please help me somebody, I am alone in here")]
    assert told.index([SUICIDE]) < len(told) - 1
    assert [sign for signs in told for sign in signs] == [SUICIDE]


def test_it_does_not_look_at_every_piece() -> None:
    """A recogniser sends a word at a time: that would cost more than all else that a call does."""
    listener = Listener(Counting())
    for piece in pieces("and the wedding is in May " * 20):
        listener.heard(1, piece)
    assert 0 < Counting.looks <= 26 * 20 / STEP


@pytest.mark.parametrize("said", ["I could die of shame right now you know", "main marna nahi chahti hun bilkul bhi"])
def test_what_follows_may_take_it_back(listener: Listener, said: str) -> None:
    """So the last words of an unfinished transcript are not decided on."""
    assert [sign for piece in pieces(said) for sign in listener.heard(1, piece)] == []
    assert listener.heard_all(1, said) == []


def test_the_last_words_of_an_unfinished_transcript_wait(listener: Listener) -> None:
    """Wherever the recogniser pauses."""
    assert listener.heard(1, "and so that is why I want to die") == []
    assert listener.heard(1, " laughing whenever I see him and his hat") == []
    assert listener.heard(2, "and so that is why I want to die") == []
    assert listener.heard(2, " and I do not know whom I should tell") == [SUICIDE]


def test_words_at_the_edge_of_the_window_do_not_count_again(listener: Listener) -> None:
    """What stood before them is cut off: here it was a no."""
    said = "want to die "
    assert listener.heard(1, "I do not " + said + "x" * (WINDOW - len(said))) == []


def test_the_whole_is_read_to_its_end(listener: Listener) -> None:
    """Where no pieces come, too."""
    assert listener.heard_all(1, "I want to die") == [SUICIDE]


def test_each_kind_is_told_once_and_once_more_when_it_is_sure(listener: Listener) -> None:
    """However often it is said."""
    assert listener.heard_all(1, "I hate my life") == [UNSURE]
    assert listener.heard_all(2, "I hate my life") == []
    assert listener.heard_all(3, "I want to die") == [SUICIDE]
    assert listener.heard_all(4, "I want to die, I hate my life") == []
    assert listener.heard_all(5, "my husband beats me") == [Worried("hurt", sure=True)]


def test_transcripts_that_come_at_once_are_not_mixed(listener: Listener) -> None:
    """Words of two turns are no sentence."""
    for mine, other in zip(pieces("I want to"), pieces("die hard is a film that I like"), strict=False):
        assert listener.heard(1, mine) == []
        assert listener.heard(2, other) == []


def test_few_unfinished_transcripts_are_kept(listener: Listener) -> None:
    """A model that begins a thousand and ends none fills no memory; the newest are followed."""
    for turn in range(1000):
        listener.heard(turn, "I want to d")
    assert len(listener._running) < 10
    assert listener.heard(999, "ie and nobody knows it yet") == [Worried("suicide", sure=True)]


def test_a_long_transcript_costs_no_more_and_is_seen_once(listener: Listener) -> None:
    """Its beginning was looked at when it was new: it does not count as said again at another place."""
    talk = pieces("and the wedding is in May at my uncle's house " * 30)
    told = [sign for piece in [*talk, *pieces(" I want to die"), " ", *talk] for sign in listener.heard(1, piece)]
    assert told == [SUICIDE]


def test_who_says_yes_when_asked_is_in_danger(listener: Listener) -> None:
    """The persona asks directly, in pieces; the caller needs no word of the lists."""
    for piece in pieces("Are you thinking of killing yourself? I ask because I care."):
        listener.said(1, piece)
    assert listener.heard_all(2, "haan") == [SUICIDE]


def test_who_says_no_is_believed_and_the_question_is_over(listener: Listener) -> None:
    """A yes to what is asked next is no answer to it."""
    listener.said_all(1, "Are you thinking of killing yourself?")
    assert listener.heard_all(2, "no, never") == []
    listener.said_all(3, "Is your birthday in May?")
    assert listener.heard_all(4, "yes") == []


def test_a_question_that_was_not_the_last_is_over(listener: Listener) -> None:
    """The persona was interrupted, and has spoken of something else since."""
    listener.said_all(1, "Are you thinking of killing yourself?")
    listener.said_all(2, "Is your birthday in May?")
    assert listener.heard_all(3, "yes") == []


def test_words_that_are_written_down_after_the_answer_are_no_answer(listener: Listener) -> None:
    """The transcript of a turn may come later than the question that answers it; the yes after it counts."""
    listener.said_all(1, "Are you thinking of killing yourself?")
    assert listener.heard_all(1, "yes, I am so sad") == []
    assert listener.heard_all(2, "yes") == [SUICIDE]


def test_a_number_is_heard_in_the_persona_s_words(listener: Listener) -> None:
    """In pieces, digit by digit."""
    told = [listener.said(1, piece) for piece in pieces("Please call them on 1 4 4 1 6 now, they are awake at night")]
    assert any(told)
    assert not any(told[:9])
    assert not listener.said_all(2, "I am here with you")
    assert listener.said_all(3, "टेली मानस का नंबर एक चार चार एक छह है")
