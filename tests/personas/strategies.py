"""Whole files of personas that fit personas.schema.json, drawn from its own definitions."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from personas.availability import DAYS
from personas.loading.file import shipped_rest
from personas.loading.shape import VOICES
from schemas import read

DEFS: dict[str, Any] = read("personas")["$defs"]
SHIPPED_FEATURES: dict[str, Any] = shipped_rest()["features"]
SHIPPED_GENDERS: dict[str, str] = shipped_rest()["voice_genders"]

SCRIPTS = {
    "English": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZéñ’",
    "Hindi": "अआइईउऊएऐओऔकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसहािीुूेैोौंँ्ज़",
    "Tamil": "அஆஇஈஉகஙசஞடணதநபமயரலவழளறனாிீுூ்",
    "Urdu": "ابپتٹجچحخدڈرزسشصطعغفقکگلمنوہیے",
    "Bengali": "অআইউএকখগঘচছজঝটঠডঢতথদধনপফবভমযরলশসহািীুূে",
}
SIGNS = "0123456789.,;!?()[]{}<>%&+*/=@_-'\"\\|~^$₹“”—…🙏😀१२৩"
ANY = "".join(SCRIPTS.values()) + SIGNS
LONG = 60  # characters of most texts; some are as long as they may be

# What the schema cannot say.
SAID: dict[str, st.SearchStrategy[Any]] = {
    # A pattern, of which hypothesis would take letters that only look like digits.
    "astrologer_id": st.from_regex(r"[a-z0-9_]{1,64}", fullmatch=True),
    # Names of IANA, of ISO, of days that exist; a language of hours.
    "timezone": st.sampled_from(["Asia/Kolkata", "Europe/Berlin", "America/St_Johns", "UTC"]),
    "hours": st.sampled_from(["always", "9am-9pm", "21:00-02:00", "9am-1pm, 1pm-6pm", "00:00-24:00", "7:30 AM – 8 PM"]),
    "closed": st.lists(st.dates().map(str), max_size=4, unique=True),
    "currency": st.just("INR"),
    # Money has no halves of a smallest unit.
    "per_minute": st.integers(0, 100_000) | st.integers(0, 9_999).map(lambda paise: paise / 100),
}
SAID |= dict.fromkeys(DAYS, SAID["hours"])


def texts(letters: str = ANY, least: int = 1, most: int = LONG) -> st.SearchStrategy[str]:
    """One line that begins and ends with a letter; sometimes of the greatest length allowed."""
    words = st.lists(st.text(letters, min_size=1, max_size=8), min_size=1, max_size=6)
    short = words.map(lambda some: " ".join(some)[: min(most, LONG)].strip().ljust(least, some[0][0]))
    longest = st.text(letters, min_size=1, max_size=9).map(lambda text: (text * (most // len(text) + 1))[:most])
    return st.integers(0, 9).flatmap(lambda chance: longest if chance == 0 else short)


def fitting(schema: Any, name: str = "") -> st.SearchStrategy[Any]:
    """Values of a schema; of a field by its name, if the schema does not express all rules."""
    if "$ref" in schema:
        return fitting(DEFS[schema["$ref"].rpartition("/")[2]], name)
    if name in SAID:
        return SAID[name]
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "string":
            return texts(least=schema.get("minLength", 1), most=schema.get("maxLength", LONG))
        case "integer":
            return st.integers(schema.get("minimum", -1_000), schema.get("maximum", 1_000))
        case "number":
            least, most = schema.get("minimum", -1_000), schema.get("maximum", 1_000)
            return st.integers(least, most) | st.floats(least, most, allow_nan=False)
        case "boolean":
            return st.booleans()
        case "array":
            inner, least = fitting(schema["items"]), schema.get("minItems", 0)
            most = min(schema.get("maxItems", 9), least + 4)
            return st.lists(inner, min_size=least, max_size=most, unique=schema.get("uniqueItems", False))
        case _:
            return objects(schema)


def objects(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """All required fields, any of the others, and additional ones if they are allowed."""
    fields = {name: fitting(inner, name) for name, inner in schema.get("properties", {}).items()}
    needed = schema.get("required", ())
    known = st.fixed_dictionaries(
        {name: fields[name] for name in fields if name in needed},
        optional={name: fields[name] for name in fields if name not in needed},
    )
    more = schema.get("additionalProperties", False)
    if not isinstance(more, dict):
        return known
    others = st.dictionaries(st.sampled_from(["extra", "और"]), fitting(more), max_size=2)
    return st.builds(lambda some, rest: rest | some, known, others)


def value_schemas(inner: bool = True) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of a feature, by every keyword that $defs.value_schema has; bounds in order, so that values exist."""
    told = st.fixed_dictionaries({}, optional={"title": texts(), "description": texts()})
    string = st.builds(
        lambda least, more: {"type": "string", "minLength": least, "maxLength": least + more},
        st.integers(1, 3),
        st.integers(0, 30),
    )
    number = st.builds(
        lambda kind, least, more: {"type": kind, "minimum": least, "maximum": least + more},
        st.sampled_from(["number", "integer"]),
        st.integers(-99, 99),
        st.integers(0, 99),
    )
    choice = st.lists(texts(most=20), min_size=1, max_size=4, unique=True).map(lambda some: {"enum": some})
    leaf = string | number | choice | texts(most=20).map(lambda text: {"const": text}) | st.just({"type": "boolean"})
    if not inner:
        return leaf
    listed = st.builds(
        lambda items, least, more, once: {
            **{"type": "array", "items": items, "minItems": least, "maxItems": least + more},
            "uniqueItems": once and items.get("type") == "string",  # the mistakes make other texts
        },
        value_schemas(False).filter(lambda schema: schema != {"type": "boolean"}),
        st.integers(0, 2),
        st.integers(1, 3),
        st.booleans(),
    )
    fields = st.dictionaries(st.sampled_from(["colour", "size", "mood", "रंग"]), value_schemas(False), max_size=3)
    nested = st.builds(
        lambda some, needed, more: {
            **{"type": "object", "properties": some, "additionalProperties": more},
            "required": [name for name in some if name in needed],
        },
        fields,
        st.sets(st.sampled_from(["colour", "size", "रंग"])),
        st.just(False) | value_schemas(False),
    )
    return st.builds(lambda words, schema: words | schema, told, leaf | listed | nested)


def line(schema: dict[str, Any]) -> str:
    """A template that inserts all of a value of this schema."""
    match schema.get("type"):
        case "boolean":
            return "{% if value %}Yes.{% else %}No.{% endif %}"
        case "array":
            return "All of {{ value | join('; ') }}."
        case "object":
            some = [(name, inner) for name, inner in schema["properties"].items() if inner != {"type": "boolean"}]
            return "Known: " + ", ".join(f"{{{{ value['{name}'] | default('none') }}}}" for name, _ in some) + "."
    return "Says {{ value | default('') }} to {{ persona.name }}."


@st.composite
def features(draw: st.DrawFn) -> dict[str, Any]:
    """Declarations of features that do not ship."""
    declared = {}
    for name in draw(st.sets(st.sampled_from(["catchphrase", "favourite_dish", "गाना", "x_1"]), max_size=2)):
        schema = draw(value_schemas())
        optional = {"prompt": st.just(line(schema)), "public": st.booleans(), "multiline": st.booleans()}
        more = st.fixed_dictionaries({"schema": st.just(schema)}, optional=optional | {"description": texts()})
        declared[name] = draw(more)
    return declared


@st.composite
def rows(draw: st.DrawFn, shared: dict[str, Any]) -> dict[str, Any]:
    """An astrologer that is valid with a given shared part."""
    row = draw(objects(DEFS["astrologer"]))
    row["language"] = draw(st.sampled_from(list(shared["language_instructions"])))
    row["greeting"] = draw(texts(SCRIPTS[row["language"]], most=1_000))
    # One mistake in one of a thousand words would be as good a test, and takes as long as all the others.
    row["system_prompt"] = draw(texts() | st.lists(texts(), min_size=2, max_size=3).map("\n\n".join))
    if "voice_id" in row:
        row["voice_id"] = draw(st.sampled_from(voices_for(row["gender"], shared)))
    known = SHIPPED_FEATURES | shared["features"]
    for name in draw(st.sets(st.sampled_from(list(known)), max_size=4)):
        row[name] = draw(availabilities() if name == "availability" else fitting(known[name]["schema"]))
    return row


def availabilities() -> st.SearchStrategy[dict[str, Any]]:
    """Either hours, or weekly without days and with some day."""
    schema = SHIPPED_FEATURES["availability"]["schema"]
    names = ("timezone", "closed")
    fields = {name: fitting(inner, name) for name, inner in schema["properties"].items()}
    both = {"timezone": fields["timezone"]}
    by_hours = st.fixed_dictionaries(
        both | {"hours": fields["hours"]}, optional={name: fields[name] for name in ("days", *names[1:])}
    )
    by_week = st.fixed_dictionaries(
        both | {"weekly": fields["weekly"].filter(bool)}, optional={"closed": fields["closed"]}
    )
    return by_hours | by_week


def voices_for(gender: str, shared: dict[str, Any]) -> list[str]:
    """Voices and aliases that do not sound like the other gender."""
    aliases, genders = shared["voice_aliases"], shared["voice_genders"]
    every = {voice: voice for voice in VOICES} | aliases
    return [name for name, voice in every.items() if "Other" in (gender, genders[voice]) or gender == genders[voice]]


@st.composite
def catalogues(draw: st.DrawFn) -> dict[str, Any]:
    """A complete file: the shared part with every key of the schema, and two or three astrologers."""
    languages = draw(st.lists(st.sampled_from(list(SCRIPTS)), min_size=1, max_size=3, unique=True))
    # The mappings that ship are added to these, so no voice may sound like the other gender than it ships with.
    genders = {voice: draw(st.sampled_from([SHIPPED_GENDERS.get(voice, "Other"), "Other"])) for voice in VOICES}
    shared: dict[str, Any] = {
        "voice_genders": genders,
        "voice_aliases": draw(st.dictionaries(st.sampled_from(["nova", "आवाज़"]), fitting(DEFS["realtime_voice"]))),
        "language_instructions": {name: draw(fitting(DEFS["language_instruction"])) for name in languages},
        "language_words": {name: draw(fitting(DEFS["words"])) for name in languages},
        "synonyms": draw(fitting(DEFS["synonyms"])),
        "features": draw(features()),
        "memory": draw(fitting(DEFS["memory"])),
    }
    shared["voice_mappings"] = {
        gender: {name: draw(st.sampled_from(voices_for(gender, shared))) for name in languages}
        for gender in DEFS["gender"]["enum"]
    }
    some = draw(st.lists(rows(shared), min_size=2, max_size=3, unique_by=lambda row: row["astrologer_id"]))
    some[-1]["status"] = "active"
    return {"$schema": "personas.schema.json", **shared, "astrologers": some}


def leaves(value: object) -> Iterator[str | int | float]:
    """Every text and number in a value."""
    match value:
        case bool() | None:
            return
        case dict():
            for inner in value.values():
                yield from leaves(inner)
        case list():
            for inner in value:
                yield from leaves(inner)
        case str() | int() | float():
            yield value
