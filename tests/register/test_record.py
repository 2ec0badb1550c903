"""Records of calls: nothing of them is lost on the way, also through a node of another version."""

import dataclasses
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from register.reading import Unreadable
from register.record import MOST_BYTES, VERSION, Care, Identity, Metered, Price, Question, Record, Said, decode, encode

WORDS = st.text(max_size=5)
WHOLE = st.integers(0, 2**53)
OTHERS = st.dictionaries(st.sampled_from(["next", "lock"]), st.none() | st.booleans() | WHOLE | WORDS, max_size=1)
RECORD = Record(Identity("u1"), "tina", "v1", "clip", began=1.0, saved=2.0)


def several(of: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    """None, one or two of them."""
    return st.lists(of, max_size=2).map(tuple)


def made(kind: type, /, **given: Any) -> st.SearchStrategy[Any]:
    """Values of one of the parts, also with what a newer version adds."""
    return st.builds(kind, other=OTHERS, **given)


TIMES = st.floats(0, 1e10)
IDENTITIES = made(
    Identity,
    user=WORDS,
    personas=st.none() | several(WORDS),
    mode=WORDS,
    seconds=st.none() | TIMES,
    micro=st.none() | WHOLE,
)
PRICES = made(Price, per_minute=WHOLE, currency=WORDS, digits=WHOLE, free_seconds=WHOLE)
METERED = made(Metered, persona=WORDS, ms=WHOLE, versions=several(WORDS), price=st.none() | PRICES, cost=WHOLE)
RECORDS = made(
    Record,
    identity=IDENTITIES,
    persona=WORDS,
    persona_version=WORDS,
    mode=WORDS,
    began=TIMES,
    saved=TIMES,
    turns=several(made(Said, ask=WHOLE, role=WORDS, persona=WORDS, text=WORDS)),
    profile=st.dictionaries(WORDS, WORDS, max_size=2),
    meter=several(METERED),
    switches=several(TIMES),
    question=st.none() | made(Question, kind=WORDS, ask=WHOLE, text=WORDS),
    heard_ms=WHOLE,
    answers=WHOLE,
)


@given(RECORDS)
def test_a_record_comes_back_as_it_was(record: Record) -> None:
    """With all that a newer version has added anywhere in it; or without its words, and then it says so."""
    assert decode(encode(record)) == record
    kept = decode(encode(record.without_words()))
    assert (kept.turns, kept.profile, kept.words) == ((), {}, False)
    assert kept.question is None or (kept.question.text, kept.question.other) == ("", {})
    assert kept.meter == record.meter


@pytest.mark.parametrize("version", [VERSION - 1, VERSION, VERSION + 1])
def test_the_neighbouring_versions_are_read(version: int) -> None:
    """A newer one has more fields, which are written again; an older one has fewer."""
    value = {
        **orjson.loads(encode(RECORD)),
        "version": version,
        "mood": {"since": 3},
        "identity": {"user": "u1", "lock": 7},
    }
    record = decode(orjson.dumps(value))
    assert record == dataclasses.replace(
        RECORD, identity=Identity("u1", other={"lock": 7}), other={"mood": {"since": 3}}
    )
    again = orjson.loads(encode(record))
    assert (again["version"], again["mood"], again["identity"]) == (VERSION, {"since": 3}, {"user": "u1", "lock": 7})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": VERSION + 2}, "version"),
        ({"version": None}, "version"),
        ({"version": [1]}, "version"),
        ({"persona": 3}, r"Record\.persona is no str"),
        ({"turns": {}}, r"Record\.turns is no tuple"),
        ({"turns": [{"ask": 1}]}, r"Said\.role is missing"),
        ({"identity": None}, "Identity is no object"),
        ({"profile": {"name": 3}}, r"Record\.profile is no str"),
        ({"disclosed": 1}, r"Record\.disclosed is no bool"),
        ({"heard_ms": True}, r"Record\.heard_ms is no int"),
    ],
)
def test_what_is_no_record_is_refused(change: dict[str, Any], said: str) -> None:
    """By the name of the field, without its value."""
    value = {**orjson.loads(encode(RECORD)), **change}
    with pytest.raises(Unreadable, match=said):
        decode(orjson.dumps(value))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_record_or_refused(encoded: bytes) -> None:
    """There is no other error."""
    with pytest.raises(Unreadable):
        decode(encoded)


@pytest.mark.parametrize("encoded", [b"null", b"[]", b"1", b'""', b"{}", b""])
def test_no_object_is_refused(encoded: bytes) -> None:
    """Whatever else JSON may hold."""
    with pytest.raises(Unreadable):
        decode(encoded)


def test_a_long_call_leaves_out_its_oldest_turns() -> None:
    """So many that it is small enough, and not many more."""
    turns = tuple(Said(number, "user", "tina", "शादी " * 100) for number in range(200))
    encoded = encode(dataclasses.replace(RECORD, turns=turns))
    kept = decode(encoded).turns
    assert MOST_BYTES / 2 < len(encoded) <= MOST_BYTES
    assert kept == turns[-len(kept) :]


def test_the_words_of_a_call_are_not_shown() -> None:
    """A record may come into a log by mistake, and a caller's words must not."""
    record = dataclasses.replace(
        RECORD,
        turns=(Said(1, "user", "tina", "secret"),),
        profile={"name": "secret"},
        question=Question("typed", 1, "secret"),
    )
    assert "secret" not in repr(record)


def test_a_later_record_keeps_what_a_neighbour_added() -> None:
    """To the call, to turns and prices that are as they were, and to a question that still waits; to nothing else."""
    price, new = Price(5, "INR", 2, other={"tax": 1}), {"next": 1}
    before = dataclasses.replace(
        RECORD,
        identity=Identity("u1", other=new),
        turns=(Said(1, "user", "tina", "One.", new), Said(2, "user", "tina", "Tw", new)),
        meter=(Metered("tina", 10, price=price, other=new), Metered("mohit", 10, price=price, other=new)),
        question=Question("typed", 2, "Tw", other=new),
        care=Care(other=new),
        other=new,
    )
    bare = [dataclasses.replace(one, price=Price(5, "INR", 2), other={}) for one in before.meter]
    later = dataclasses.replace(
        RECORD,
        turns=(Said(1, "user", "tina", "One."), Said(2, "user", "tina", "Two."), Said(3, "user", "tina", "Three.")),
        meter=(dataclasses.replace(bare[0], ms=20), dataclasses.replace(bare[1], price=Price(6, "INR", 2))),
        question=Question("typed", 2, "Tw"),
    )
    kept = later.keeping(before)
    assert (kept.other, kept.identity.other, kept.care.other) == (new, new, new)
    assert [one.other for one in kept.turns] == [new, {}, {}]
    assert kept.meter == (dataclasses.replace(before.meter[0], ms=20), later.meter[1])
    assert kept.question == before.question
    assert dataclasses.replace(later, question=Question("typed", 3, "Tw")).keeping(before).question != before.question
    assert dataclasses.replace(later, question=None).keeping(before).question is None
    assert later.keeping(RECORD) == later
