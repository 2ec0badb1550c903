from engine.speech_cache import SpeechCache


def test_what_was_said_is_known_by_its_voice_and_words() -> None:
    """Exactly these chunks, and none for another voice or other words."""
    cache = SpeechCache(100)
    cache.put("marin", "Namaste.", [b"ab", b"cd"])
    assert cache.get("marin", "Namaste.") == (b"ab", b"cd")
    assert cache.get("cedar", "Namaste.") is None
    assert cache.get("marin", "Namaste") is None


def test_no_more_is_held_than_there_is_room_for() -> None:
    """The least recently used entry is removed first; one that exceeds the limit is not stored."""
    cache = SpeechCache(10)
    for name in "abc":
        cache.put("marin", name, [bytes(3)])
    cache.get("marin", "a")
    cache.put("marin", "d", [bytes(3)])
    assert [name for name in "abcd" if cache.get("marin", name)] == ["a", "c", "d"]
    cache.put("marin", "large", [bytes(11)])
    assert cache.get("marin", "large") is None
    assert cache.get("marin", "a") == (bytes(3),)
    cache.put("marin", "all", [bytes(10)])
    assert [name for name in ("a", "c", "d", "all") if cache.get("marin", name)] == ["all"]


def test_without_room_nothing_is_kept() -> None:
    """A sentence without audio has size 0, and is stored."""
    cache = SpeechCache()
    cache.put("marin", "Namaste.", [b"ab"])
    cache.put("marin", "...", [])
    assert cache.get("marin", "Namaste.") is None
    assert cache.get("marin", "...") == ()
