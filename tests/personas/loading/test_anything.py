"""Any file gives a catalogue or faults, within a short time, and the messages are short."""

import json
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from personas import Catalogue, CatalogueBroken, Fault
from personas.loading.rows import MOST_FAULTS
from tests.kit.examples import examples
from tests.personas.rows import Make, Read

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
SOUND = {
    **{"astrologer_id": "asha", "name": "Asha", "speciality": "Love", "language": "English", "gender": "Female"},
    **{"voice_id": "nova", "persona": "A", "system_prompt": "A", "greeting": "A", "expertise_keywords": ["a"]},
}
BEFORE = Catalogue.from_data([SOUND])
BIG = "x" * 1_000_000


def read(raw: bytes, before: Catalogue | None = None) -> tuple[Catalogue | None, tuple[Fault, ...]]:
    """The valid personas of a file, and its faults. Any exception but CatalogueBroken fails the test."""
    try:
        catalogue = Catalogue.from_bytes(raw, before.all() if before else ())
    except CatalogueBroken as broken:
        return None, broken.faults
    return catalogue, catalogue.faults


def faults_of(raw: bytes, before: Catalogue | None = None) -> tuple[Fault, ...]:
    return read(raw, before)[1]


def of(*rows: object, **shared: object) -> bytes:
    return json.dumps({"astrologers": rows, **shared}).encode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@CALM
@given(st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_file_that_is_told_of(raw: bytes) -> None:
    """JSON or not, UTF-8 or not."""
    assert faults_of(raw)
    assert faults_of(raw, BEFORE)


KEYWORDS = [
    *("type", "enum", "const", "properties", "required", "additionalProperties", "items", "minItems", "maxItems"),
    *("uniqueItems", "minLength", "maxLength", "minimum", "maximum", "title", "$ref", "pattern", "dependentRequired"),
]
WORDS = st.sampled_from([*KEYWORDS, "string", "number", "integer", "boolean", "array", "object", "a", "", "#"])
LEAVES = st.none() | st.booleans() | st.integers(-2, 3) | st.floats(allow_nan=False, allow_infinity=False) | WORDS
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYWORDS) | WORDS, inner, max_size=3),
    max_leaves=8,
)
BEHIND = [
    *(".a", "['a']", "[0]", "[value]", "[1:]", "|join", "|default", "|lower", "|first"),
    *("(value)", "(1)", "('\\ud800')"),
]
BETWEEN = [
    *("if", "endif", "else", "elif", "not", "and", "or", "in", "is", "value", "persona", "true", "none", "for", "raw"),
    *("==", "<", "~", "-", "+", "**", "(", ")", "'", '"', "1e999", "1_0", "é", "क"),
]
PIECES = ["{{", "}}", "{%", "%}", "{#", "#}", *BEHIND, *BETWEEN, " ", "\n", "\x00", "\r", "\\", "{'a':1}", "9" * 20]
TEMPLATES = st.lists(st.sampled_from(PIECES), max_size=10).map(" ".join)
LIKELY = st.lists(st.sampled_from(BEHIND), max_size=4).map(lambda pieces: f"{{{{ value{''.join(pieces)} }}}}")


@settings(CALM, max_examples=examples(300))
@given(SCHEMAS, st.none() | TEMPLATES | LIKELY, JSON | SCHEMAS, st.booleans())
@example({"type": "object", "required": ["a", "a"]}, None, {}, True)
@example({"type": "array"}, "{{ value | join(value) }}", ["a", "b"], True)
@example({"type": "array"}, "{{ value | join(1) }}", ["a", "b"], True)
@example({}, '{{ value["\\ud800"] }}', {}, True)
@example({}, "{{ persona[value] }}", BIG, True)
@example({}, "{% if value < 1e999 %}x{% endif %}", 1, True)
@example({}, "{{ value | lower }}", ["a", True], True)
def test_any_feature_is_declared_or_told_of(schema: Any, prompt: Any, value: Any, public: bool) -> None:
    """Any schema, any template, any value; whoever has no such feature is served, and every message can be printed."""
    feature = {"schema": schema, "public": public} | ({} if prompt is None else {"prompt": prompt})
    raw = of(SOUND, {**SOUND, "astrologer_id": "other", "f": value}, features={"f": feature})
    catalogue, faults = read(raw)
    if catalogue is None:  # NaN, or a number that is none
        assert "is not JSON" in faults[0].message
        return
    assert "asha" in catalogue.personas
    assert faults or "other" in catalogue.personas
    for fault in faults:
        assert fault.path.startswith(("$.features.f", "$.astrologers[1].f"))
        assert len(str(fault).encode()) < 1_500
    assert faults_of(raw, Catalogue.from_bytes(of(SOUND))) == faults


@pytest.mark.parametrize("deep", [40, 130, 260, 480, 900, 1100])
def test_what_is_nested_too_deeply_is_told_at_its_path(deep: int) -> None:
    """In a row, in a declaration, in another key; nobody else is refused for it."""

    def raw(name: str, **shared: Any) -> bytes:
        row = {**SOUND, "astrologer_id": "deep", name: "NEST"}
        text = json.dumps({"astrologers": [SOUND, row], **shared})
        return text.replace('"NEST"', "[" * deep + "]" * deep).encode()

    schema: object = {}
    for _ in range(min(deep, 200)):
        schema = {"items": schema}
    for text, path in (
        (raw("tone"), "$.astrologers[1].tone"),
        (raw("unheard_of"), "$.astrologers[1].unheard_of"),
        (raw("tone", features={"tone": "NEST"}), "$.features.tone"),
        (raw("tone", synonyms="NEST"), "$.synonyms"),
        (of(SOUND, features={"f": {"schema": schema}}), "$.features.f"),
    ):
        if deep == 1100 and b"[[[" in text:  # the reader of JSON itself has a limit
            assert "is not JSON" in faults_of(text)[0].message
            continue
        catalogue = Catalogue.from_bytes(text)
        assert "asha" in catalogue.personas
        assert path in [fault.path for fault in catalogue.faults if "nested too deeply" in fault.message]


LONG = {
    "an enum": ({"enum": [BIG, 1]}, "y"),
    "a constant": ({"const": BIG}, "y"),
    "a value": ({"enum": ["a"]}, BIG),
    "a name": ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, {BIG: 1}),
    "names": ({"properties": {f"n{n}": {} for n in range(5_000)}, "additionalProperties": False}, {"x": 1}),
    "faults": ({"items": {"type": "string"}}, [1] * 100_000),
}


@pytest.mark.parametrize("what", LONG)
def test_a_message_is_short(what: str) -> None:
    """A message quotes little of a value, however large it is, and a report has a few hundred lines."""
    schema, value = LONG[what]
    raw = of(SOUND, {**SOUND, "astrologer_id": "other", "f": value}, features={"f": {"schema": schema, "public": True}})
    told = faults_of(raw)
    assert 0 < len(told) <= MOST_FAULTS + 1
    assert max(len(str(fault)) for fault in told) < 4_000


def test_a_file_with_very_many_faults_is_soon_told_of() -> None:
    """A million rows are refused unread; of ten thousand bad rows the first are explained, the others counted."""
    began = time.process_time()
    (fault,) = faults_of(of(*[{}] * 1_000_000))
    assert "has 1000000 astrologers; at most 10000 are read" in fault.message
    told = faults_of(of(SOUND, *[{}] * 9_000))
    assert len(told) == MOST_FAULTS + 1
    assert sum("more faults, which are told when the others are mended" in fault.message for fault in told) == 1
    assert time.process_time() - began < 10


def test_unique_items_are_explained_in_linear_time() -> None:
    """Twenty thousand objects, of which two are equal."""
    items: list[object] = [{"a": [n]} for n in range(20_000)]
    raw = of({**SOUND, "f": [*items, {"a": [7.0]}]}, features={"f": {"schema": {"uniqueItems": True}}})
    began = time.process_time()
    (fault,) = faults_of(raw)
    assert (fault.path, fault.message) == ("$.astrologers[0].f", "names something twice; name each once.")
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("raw", "says", "line"),
    [
        ("[]".encode("utf-16"), "save it as UTF-8", 0),
        ("[]".encode("utf-16-le"), "save it as UTF-8", 0),
        ('[\n"\u0928 caf\u00e9"]'.encode().replace(b"\xc3\xa9", b"\xe9"), "save it as UTF-8", 2),
        (b"[\n\n}", "is not JSON", 3),
        (b'["x",\n"\\ud83d"]', "holds half of a character", 2),
        (b"[" + b" " * (64 << 20), "at most 64 MiB", 0),
    ],
)
def test_what_is_no_text_in_utf_8_or_no_json_says_so(raw: bytes, says: str, line: int) -> None:
    """And where, when there is a place."""
    (fault,) = faults_of(raw)
    assert says in fault.message
    assert fault.line == line


def test_what_is_private_is_not_repeated(row: Make, faults: Read) -> None:
    """Faults are logged, so for a feature that is not public they say what is expected and quote no value."""
    secret = {
        "enum": ({"enum": ["calm", "kind"]}, "Zq7Xk", "must be one of calm, kind."),
        "most": ({"maximum": 5}, 7712, "is too large; at most 5 is allowed."),
        "least": ({"minimum": 9000}, 7712, "is too small; at least 9000 is needed."),
    }
    features = {name: {"schema": schema} for name, (schema, _, _) in secret.items()}
    features["looked"] = {"schema": {}, "prompt": "{{ persona[value] }}"}
    features["availability"] = {"schema": {}, "prompt": ""}
    values = {name: value for name, (_, value, _) in secret.items()} | {"looked": "Zq7Xk"}
    closed = {"timezone": "Zq7Xk", "hours": "Zq7Xk"}
    told = faults({"astrologers": [row(**values, availability=closed)], "features": features})
    said = {fault.path.rpartition(".")[2]: fault.message for fault in told}
    assert [said[name] for name in secret] == [says for _, _, says in secret.values()]
    assert {"looked", "timezone", "hours"} <= set(said)
    assert [str(fault) for fault in told if "Zq7Xk" in str(fault) or "7712" in str(fault)] == []
