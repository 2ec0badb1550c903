"""Text frames of a caller, drawn from caller.schema.json: valid, wrong in one place, and broken.

What the schema leaves open (a profile, base64) is drawn as a caller means it, or as anything.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, get_args

import orjson
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import schemas
from actors.messages.caller import Error, FromCaller
from schemas import Refused
from tests.kit.four import IDS
from web.error_size import MOST_BYTES
from web.wires import app

Message: TypeAlias = dict[str, Any]
DEFS: dict[str, Any] = schemas.read("caller")["$defs"]
KINDS: list[str] = list(schemas.CALLER)
REFUSABLE = {
    "bad_json", "unknown_type", "bad_message", "bad_base64", "audio_too_big", "audio_too_long", "empty_audio",
}  # fmt: skip
"""The codes with which a frame is refused before anybody else has seen it."""
BEHIND = 2000  # bytes, of which few frames have more

_ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
# What the schema cannot say: ids that exist, dates, files.
_MEANT: dict[str, st.SearchStrategy[Any]] = {
    "astrologer_id": st.sampled_from(IDS) | st.text(min_size=1, max_size=64),
    "response_id": st.sampled_from(["1.1", "1.2", "2.1", "1.99999", "user.1"]) | st.text(max_size=40),
    "name": st.text(max_size=80),
    "gender": st.sampled_from(["", "Female", "x" * 40]),
    "birth_date": st.dates().map(str),
    "birth_time": st.times().map(lambda time: time.isoformat("seconds")),
    "birth_place": st.text(max_size=100),
    "birth_of": st.sampled_from(["caller", "other"]),
    "country": st.sampled_from(["IN", "DE", "us", "XX"]),
}
_MEANT |= dict.fromkeys(("audio", "data"), st.binary(max_size=60).map(lambda clip: b64encode(clip).decode()))
_WRONG: list[Any] = [
    *(None, True, False, 0, -1, 0.5, 1e308, 2**31, 10**30, float("nan"), float("inf"), "", " ", "x", "\0", "\u202e"),
    *("\ud800", "x" * 65, "x" * 4001, "\u200b" * 50, "{{ 7 * 7 }}", "1.1", [], {}, [[[]]], {"type": "end"}, ["x"] * 50),
]


def of_schema(schema: Message, name: str = "") -> st.SearchStrategy[Any]:
    """Values of one of the schemas of the file; of a field by its name where the schema does not say it all."""
    if "$ref" in schema:
        return of_schema(DEFS[schema["$ref"].rpartition("/")[2]], name)
    if schema.get("type") == "object":
        return _objects(schema)
    if name in _MEANT:
        return _MEANT[name]
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case None:  # it is described, and looked at elsewhere
            return st.text(max_size=20) | _ANYTHING
        case "string":
            texts = st.text(min_size=schema.get("minLength", 1), max_size=min(60, schema["maxLength"]))
            return texts.map(lambda text: f"hello {text}") if "pattern" in schema else texts
        case "integer":
            return st.integers(0, 20) | st.integers(schema["minimum"], schema["maximum"])
        case "number":
            return st.integers(0, 500) | st.floats(schema["minimum"], schema["maximum"])
        case "boolean":
            return st.booleans()
    raise AssertionError(f"no values are drawn of {schema}")


def _objects(schema: Message) -> st.SearchStrategy[Message]:
    fields = {name: of_schema(inner, name) for name, inner in schema["properties"].items()}
    needed = set(schema.get("required", ())) | set(schema.get("anyOf", [{"required": ()}])[0]["required"])
    return st.fixed_dictionaries(
        {name: inner for name, inner in fields.items() if name in needed},
        optional={name: inner for name, inner in fields.items() if name not in needed},
    )


def fitting(kind: str) -> st.SearchStrategy[Message]:
    """Messages of this type that fit its schema."""
    return _objects(DEFS[kind])


@st.composite
def nearly(draw: st.DrawFn, kind: str) -> Message:
    """One that fits, but for a place: something is gone, is something else, or is there as well."""
    message: Message = json.loads(json.dumps(draw(fitting(kind))))
    inside, name = draw(st.sampled_from([*_places(message)]))
    match draw(st.sampled_from(["gone", "other", "other", "anything", "more"])):
        case "gone":
            del inside[name]
        case "other":
            inside[name] = draw(st.sampled_from(_WRONG))
        case "anything":
            inside[name] = draw(_ANYTHING)
        case _:
            inside[draw(st.sampled_from(["type ", "__proto__", "audio", "received", "profile", "x"]))] = draw(_ANYTHING)
    return message


def _places(value: Any) -> Iterator[tuple[Message, str]]:
    for name, inner in value.items():
        yield value, name
        if isinstance(inner, dict):
            yield from _places(inner)


def written(message: Message, ascii_only: bool) -> bytes:
    """As JSON; half of a surrogate pair is always escaped, as UTF-8 has none."""
    try:
        return json.dumps(message, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:
        return json.dumps(message).encode()


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """What was a message, and is hardly one: cut, changed, doubled, of another encoding, too deep; or never was one."""
    frame = written(draw(st.sampled_from(KINDS).flatmap(fitting)), draw(st.booleans()))
    at, other = draw(st.integers(0, len(frame))), draw(st.binary(max_size=6))
    match draw(st.integers(0, 9)):
        case 0:
            return frame[:at]
        case 1:
            return frame[:at] + other + frame[at:]
        case 2:
            return frame[:at] + other + frame[at + len(other) :]
        case 3:
            return frame + frame
        case 4:
            return frame.decode().encode(draw(st.sampled_from(["utf-16", "utf-32", "utf-8-sig", "utf-16-le"])))
        case 5:
            opening = draw(st.sampled_from([b"[", b'{"a":', b'{"type":"ping","x":[', b'"', b"\\"]))
            return opening * draw(st.sampled_from([1, 900, 1100, BEHIND]))
        case 6:
            return frame.replace(b'"', draw(st.sampled_from([b"'", b"\xe2\x80\x9c", b"\xff", b"\0"])))
        case 7:
            return draw(st.binary(max_size=200))
        case 8:
            return json.dumps(draw(_ANYTHING)).encode()
        case _:
            return draw(st.text(max_size=100)).encode()


def texts(kind: str) -> st.SearchStrategy[bytes]:
    """Frames of this type, that fit or nearly do."""
    return st.builds(written, fitting(kind) | nearly(kind), st.booleans())


def frames() -> st.SearchStrategy[bytes]:
    """Of any type, and broken ones."""
    return st.one_of(broken(), *(texts(kind) for kind in KINDS))


def understood(read: Callable[[bytes], Any], frame: bytes) -> Any:
    """The message in a frame, or the code of its refusal; AssertionError if that may not be told to a caller."""
    refusal = None
    try:
        message = read(frame)
    except Refused as refused:
        refusal = refused
    if refusal is None:
        assert message is None or isinstance(message, get_args(FromCaller))
        return message
    told = app.write(Error(refusal.code, refusal.message))
    assert list(schemas.ANSWER["error"].iter_errors(orjson.loads(told))) == []
    assert len(told) <= MOST_BYTES
    assert refusal.code in REFUSABLE
    return refusal.code


def drawn(strategy: st.SearchStrategy[Any], number: int) -> list[Any]:
    """So many examples, the same each time."""
    some: list[Any] = []

    @settings(
        max_examples=number, database=None, derandomize=True, phases=[Phase.generate], deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def keep(one: Any) -> None:
        some.append(one)

    keep()
    return some
