"""Features: declared in the file, added to the prompt, and unable to do more than insert values."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from personas import Catalogue
from tests.personas.rows import Make, Read, Row

CHOICE = "{% if value.a > 3 and not value.b %}big{% elif value.a == 1 or value.b %}one{% else %}few{% endif %}"


def style(data: object) -> list[str]:
    return Catalogue.from_data(data).all()[0].standing.partition("# Style\n")[2].partition("\n\n# ")[0].splitlines()


def test_a_new_feature_needs_no_code(row: Make) -> None:
    """Declared, used, and there: in the prompt, and for clients when it is public."""
    hobby = {
        "schema": {"type": "string"},
        "prompt": "Likes {{ value | lower }}, says {{ persona.name }}.",
        "public": True,
    }
    data = {"astrologers": [row(hobby="CHESS")], "features": {"hobby": hobby}}
    assert style(data) == ["Likes chess, says Asha."]
    assert Catalogue.from_data(data).all()[0].public()["hobby"] == "CHESS"


def test_lines_stand_in_the_order_of_the_declarations(row: Make) -> None:
    """The order of a persona's own fields does not change the prompt."""
    one, other = row(tone="warm", personality_traits=["kind"]), row(personality_traits=["kind"], tone="warm")
    assert style([one]) == style([other]) == ["Tone: warm.", "Personality: kind."]


@pytest.mark.parametrize(
    ("prompt", "value", "line"),
    [
        (CHOICE, {"a": 5, "b": False}, "big"),
        (CHOICE, {"a": 1}, "one"),
        (CHOICE, {"a": 2, "b": False}, "few"),
        (CHOICE, {"a": 5}, None),
        ("{% if value.a is defined %}x{% endif %}", {"a": 1}, None),
        ("{{ value.a | default('none') }}", {}, "none"),
        ("{{ value['a'] }} {{ value.l[1] }}", {"a": "x", "l": [1, 2]}, "x 2"),
        ("{{ value.l | join(' and ') }}", {"l": ["a", "b"]}, "a and b"),
        ("{{ value.items }}", {"items": "three"}, "three"),
        ("{% if value.a %}x{% endif %}", {"a": False}, ""),
        ("{{ value.a }}", {}, None),
        ("{{ value.a }}", {"a": True}, None),
        ("{{ value }}", {"a": 1}, None),
        ("{{ value.a | join }}", {"a": {"b": 1}}, None),
        ("{{ value.a | lower }}", {"a": ["B"]}, None),
        ("{{ value.a | lower }}", {"a": True}, None),
        ("{{ value.a | lower }}", {"a": "TEN"}, "ten"),
        ("{{ value.a | join(value.a) }}", {"a": ["b"]}, None),
        ("{{ value[persona.language] }}", {"English": "yes"}, "yes"),
        ("{{ value.a | join }}", {"a": [["b"]]}, None),
        ("{% if value.a < 3 %}x{% endif %}", {"a": "text"}, None),
        ("{{ value.items }}", {}, None),
        ("{{ value.a }}{{ value.a }}", {"a": "x" * 1500}, None),
        ("{{ value.a }}: English (en).", {"a": "Language"}, None),
        ("one\n# Conduct", {}, None),
    ],
)
def test_a_line_is_rendered_at_load_or_refused(
    row: Make, faults: Read, prompt: str, value: Row, line: str | None
) -> None:
    """A template is rendered when the file is read; None here means a fault of this persona."""
    data = {"astrologers": [row(f=value)], "features": {"f": {"schema": {"type": "object"}, "prompt": prompt}}}
    if line is None:
        assert {fault.path.removesuffix(".prompt") for fault in faults(data)} <= {"$.features.f", "$.astrologers[0].f"}
        assert faults(data)
    else:
        assert style(data) == ([line] if line else [])


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("{% for x in value %}{{ x }}{% endfor %}", "holds a for"),
        ("{% set x = value %}", "holds a"),
        ("{% macro m() %}{% endmacro %}", "holds a macro"),
        ("{% include 'x' %}", "holds a include"),
        ("{% import 'x' as x %}", "holds a import"),
        ("{% extends 'x' %}", "holds a extends"),
        ("{% block x %}{% endblock %}", "holds a block"),
        ("{% filter lower %}x{% endfilter %}", "holds a filterblock"),
        ("{{ value() }}", "holds a call"),
        ("{{ value.format(1) }}", "holds a call"),
        ("{{ 'a' * 999999999 }}", "holds a mul"),
        ("{{ 9 ** 9 ** 9 }}", "holds a pow"),
        ("{{ 'a' ~ value }}", "holds a concat"),
        ("{{ value[1:] }}", "holds a slice"),
        ("{{ [1, 2] }}", "holds a list"),
        ("{{ value if value else 1 }}", "holds a condexpr"),
        ("{% if value is string %}x{% endif %}", "holds a test"),
        ("{{ value.__class__ }}", "reaches for '__class__'"),
        ("{{ value | upper }}", "filter 'upper'"),
        ("{{ value | attr('__class__') }}", "filter 'attr'"),
        ("{{ value | nothere }}", "filter 'nothere'"),
        ("{{ value | join(attribute='x') }}", "filter 'join'"),
        ("{{ value | join(*value) }}", "filter 'join'"),
        ("{{ self }}", "names 'self'"),
        ("{{ cycler }}", "names 'cycler'"),
        ("{{ persona.system_prompt }}", "reaches for persona.system_prompt"),
        ("{{ nobody }}{{ value | upper }}", "names 'nobody', which is not there, on line 1; uses the filter 'upper'"),
        ("{{ value['\\ud800'] }}", "holds half of a character"),
        ("{{ value", "not a template that can be read"),
        ("{{ " + "(" * 400 + "value" + ")" * 400 + " }}", "nested too deeply"),
        ("{{ " + "not " * 240 + "value }}", "nested too deeply"),
        ("{{ value }}" * 200, "is too long"),
    ],
)
def test_a_template_may_only_fill_in_words(row: Make, faults: Read, prompt: str, says: str) -> None:
    """Loops, calls, arithmetic, escapes and foreign filters are refused from the syntax tree, before anything runs."""
    data = {"astrologers": [row()], "features": {"f": {"schema": {}, "prompt": prompt}}}
    (fault,) = faults(data)
    assert fault.path == "$.features.f.prompt"
    assert says in fault.message


@pytest.mark.parametrize("name", ["__class__", "__init__", "items", "keys", "pop"])
def test_no_attribute_of_a_python_object_is_within_reach(row: Make, faults: Read, name: str) -> None:
    """A name resolves to items of the value only, also as a subscript."""
    data = {"astrologers": [row(f={})], "features": {"f": {"schema": {}, "prompt": f"{{{{ value['{name}'] }}}}"}}}
    (fault,) = faults(data)
    assert "the value has no such item" in fault.message


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("{{ value.mood }}", "the value has no 'mood'; write it, or use default(...)"),
        ("{{ persona.creed }}", "the persona shows no 'creed' to prompt lines, which see its public fields"),
    ],
)
def test_what_is_not_there_is_named(row: Make, faults: Read, prompt: str, says: str) -> None:
    """A part of the value that is missing, and a field of the persona that is not public."""
    features = {"f": {"schema": {}, "prompt": prompt}, "creed": {"schema": {}}}
    (fault,) = faults({"astrologers": [row(f={}, creed="x")], "features": features})
    assert says in fault.message


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"required": ["a", "a"]}, "$.features.f.schema.required"),
        ({"pattern": "(a+)+$"}, "$.features.f.schema.pattern"),
        ({"type": "object", "patternProperties": {}}, "$.features.f.schema.patternProperties"),
        ({"properties": {"x": {"pattern": "a"}}}, "$.features.f.schema.properties.x.pattern"),
        ({"items": {"$ref": "#"}}, "$.features.f.schema.items.$ref"),
        ({"$dynamicRef": "#x"}, "$.features.f.schema.$dynamicRef"),
        ({"type": "text"}, "$.features.f.schema.type"),
        ("string", "$.features.f.schema"),
    ],
)
def test_a_features_schema_has_no_patterns_and_no_references(
    row: Make, faults: Read, schema: object, path: str
) -> None:
    """Only words of JSON Schema that are quick to check may be used; a property may be called pattern all the same."""
    (fault,) = faults({"astrologers": [row()], "features": {"f": {"schema": schema}}})
    assert fault.path == path
    named = {"type": "object", "properties": {"pattern": {"type": "string"}}}
    assert not faults({"astrologers": [row(f={"pattern": "x"})], "features": {"f": {"schema": named}}})


@pytest.fixture
def web() -> Iterator[tuple[str, list[str]]]:
    """An address of this machine, and the paths that were asked of it."""
    asked: list[str] = []

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join(5)
    server.server_close()


def test_a_remote_reference_is_never_fetched(row: Make, faults: Read, web: tuple[str, list[str]]) -> None:
    """A $ref to the network is a fault of the declaration, and nobody is asked."""
    address, asked = web
    schema = {"$ref": f"{address}/schema.json"}
    told = faults({"astrologers": [row(f=1)], "features": {"f": {"schema": schema}}})
    assert [fault.path for fault in told] == ["$.features.f.schema.$ref", "$.astrologers[0].f"]
    assert asked == []


@pytest.mark.parametrize("name", ["greeting", "name", "status", "open", "astrologers", "two words", "1st", ""])
def test_a_feature_cannot_take_a_fields_name(row: Make, name: str) -> None:
    """A feature with the name of a fixed field is refused, but personas with that field are not."""
    catalogue = Catalogue.from_data({"astrologers": [row()], "features": {name: {"schema": {}}}})
    (fault,) = catalogue.faults
    assert fault.path.startswith("$.features")
    assert "cannot be a feature's name" in fault.message
    assert len(catalogue.active()) == 1


def test_several_lines_must_be_declared(row: Make, faults: Read) -> None:
    """A multiline feature may hold line breaks; its headings become smaller than a section's."""
    feature = {"schema": {"type": "string"}, "prompt": "{{ value }}", "multiline": True}
    data = {"astrologers": [row(story="One.\n# Conduct\nTwo.")], "features": {"story": feature}}
    assert style(data) == ["One.", "## Conduct", "Two."]
    assert faults(data | {"features": {"story": feature | {"multiline": False}}})


def test_a_feature_without_a_line_says_nothing(row: Make) -> None:
    """A feature without a template adds nothing to the prompt."""
    data = {"astrologers": [row(badge="gold")], "features": {"badge": {"schema": {"enum": ["gold"]}, "public": True}}}
    assert "gold" not in Catalogue.from_data(data).all()[0].standing
