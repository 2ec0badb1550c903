from engine.phrases import Phrases


def test_what_was_said_is_known_by_its_voice_and_words() -> None:
    """Exactly those chunks, and nothing for another voice or other words."""
    phrases = Phrases(100)
    phrases.keep("marin", "Namaste.", [b"ab", b"cd"])
    assert phrases.recall("marin", "Namaste.") == (b"ab", b"cd")
    assert phrases.recall("cedar", "Namaste.") is None
    assert phrases.recall("marin", "Namaste") is None


def test_no_more_is_held_than_there_is_room_for() -> None:
    """What was asked for longest ago goes first; what is larger than the room is not kept at all."""
    phrases = Phrases(10)
    for name in "abc":
        phrases.keep("marin", name, [bytes(3)])
    phrases.recall("marin", "a")
    phrases.keep("marin", "d", [bytes(3)])
    assert [name for name in "abcd" if phrases.recall("marin", name)] == ["a", "c", "d"]
    phrases.keep("marin", "large", [bytes(11)])
    assert phrases.recall("marin", "large") is None
    assert phrases.recall("marin", "a") == (bytes(3),)
    phrases.keep("marin", "all", [bytes(10)])
    assert [name for name in ("a", "c", "d", "all") if phrases.recall("marin", name)] == ["all"]


def test_without_room_nothing_is_kept() -> None:
    """A sentence in which nothing could be said costs no room, and is known."""
    phrases = Phrases()
    phrases.keep("marin", "Namaste.", [b"ab"])
    phrases.keep("marin", "...", [])
    assert phrases.recall("marin", "Namaste.") is None
    assert phrases.recall("marin", "...") == ()
