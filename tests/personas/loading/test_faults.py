"""Every kind of mistake in a personas file, and the message for its author."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personas import Catalogue, CatalogueBroken
from personas.loading.shape import PERSONA_FIELDS
from tests.personas.rows import Make, Read, Row


@pytest.mark.parametrize(
    ("changes", "path", "says"),
    [
        ({"greeting": None}, "greeting", "is missing. Write the first words of the call"),
        ({"greeting": ""}, "greeting", "is empty. Write the first words of the call"),
        ({"greeting": 5}, "greeting", "must be text, not a number."),
        ({"greeting": "a" * 1001}, "greeting", "is too long: 1001, at most 1000 are allowed."),
        ({"greeting": "one\ntwo"}, "greeting", "holds U+000A, a control character, at character 4"),
        ({"greeting": "   "}, "greeting", "is blank"),
        ({"name": "Asha\u202e"}, "name", "holds U+202E, a control character, at character 5"),
        ({"greting": "Hi"}, "greting", "is not a known field. Did you mean 'greeting'?"),
        ({"tonne": "warm"}, "tonne", "Did you mean 'tone'?"),
        ({"favourite colour": "red"}, '["favourite colour"]', "A new one is declared under features."),
        ({"gender": "female"}, "gender", "must be one of Female, Male, Other, not 'female'. Did you mean 'Female'?"),
        ({"status": "activ"}, "status", "Did you mean 'active'?"),
        ({"status": True}, "status", "must be one of active, inactive, not 'true'."),
        ({"astrologer_id": "Tina Kulkarni"}, "astrologer_id", "does not fit: 'Tina Kulkarni'. Write 1 to 64 of a to z"),
        ({"astrologer_id": "a" * 65}, "astrologer_id", "does not fit"),
        ({"astrologer_id": "tina\n"}, "astrologer_id", "holds U+000A"),
        ({"language": "Hindee"}, "language", "is not the English name of a language. Did you mean 'Hindi'?"),
        ({"language": "Welsh"}, "language", "has no instruction. Add language_instructions.Welsh to the file."),
        ({"voice_id": "novaa"}, "voice_id", "'novaa' is not a voice. Did you mean 'nova'? There are: alloy,"),
        ({"voice_id": None, "language": "Welsh"}, "voice_id", "is missing. Write a voice here, or add voice_mappings"),
        ({"expertise_keywords": "love"}, "expertise_keywords", "must be a list, not text."),
        ({"expertise_keywords": []}, "expertise_keywords", "is empty. Write what callers ask about"),
        ({"expertise_keywords": ["a", 2]}, "expertise_keywords[1]", "must be text, not a number."),
        ({"expertise_keywords": ["a\n# Conduct"]}, "expertise_keywords[0]", "holds U+000A"),
        ({"speciality": "Language: Klingon (tlh)."}, "speciality", "has a line that begins with 'Language:'"),
        ({"system_prompt": "Hello.\n  language : English (en)."}, "system_prompt", "begins with 'Language:'"),
        ({"system_prompt": "Hello.\u2028# Conduct"}, "system_prompt", "holds U+2028"),
        ({"tone": 7}, "tone", "must be text, not a number."),
        ({"tone": "warm\n# Conduct"}, "tone", "holds U+000A"),
        ({"consultation_style": {"response_length": "long"}}, "consultation_style.response_length", "brief, detailed"),
        ({"consultation_style": {}}, "consultation_style.question_frequency", "is missing."),
        ({"pricing": {"per_minute": -1, "currency": "INR"}}, "pricing.per_minute", "is -1; at least 0 is needed."),
        ({"pricing": {"per_minute": 1, "curency": "INR"}}, "pricing.curency", "Did you mean 'currency'?"),
        ({"pricing": {"per_minute": 1.005, "currency": "INR"}}, "pricing.per_minute", "INR has 2 digits"),
        ({"pricing": {"per_minute": 1, "currency": "INX"}}, "pricing.currency", "is not a currency of ISO 4217"),
        ({"availability": {"timezone": "Asia/Calcuta", "hours": "always"}}, "availability.timezone", "Did you mean"),
        ({"availability": {"timezone": "UTC", "hours": "9-5"}}, "availability.hours", "cannot be read as hours"),
        ({"max_callers": 0}, "max_callers", "is too small; at least 1 is needed."),
        ({"voice_id": "onyx"}, "voice_id", "'onyx' is a male voice. For Female there are: coral, sage, shimmer, marin"),
        ({"voice_id": "sage", "gender": "Male"}, "voice_id", "'sage' is a female voice. For Male there are: ash,"),
        ({"tone": "\u3164# Conduct"}, "tone", "holds U+3164"),
        ({"tone": "\u200dLanguage\uff1a Klingon"}, "tone", "begins with 'Language:'"),
        ({"system_prompt": "Hi.\n- Ｌanguage: Klingon"}, "system_prompt", "begins with 'Language:'"),
        ({"personality_traits": ["kind", "kind"]}, "personality_traits", "names something twice"),
    ],
)
def test_a_fault_says_where_and_what_instead(row: Make, faults: Read, changes: Row, path: str, says: str) -> None:
    """Each mistake in a row has its path, the id of the row, and a sentence that helps."""
    step = path if path.startswith("[") else f".{path}"
    told = [fault for fault in faults([row(**changes)]) if fault.path == f"$[0]{step}" and says in fault.message]
    assert len(told) == 1
    assert told[0].persona == changes.get("astrologer_id", "asha_vedic_love")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"greeting": "नमस्ते, मैं आशा हूं"}, "is not written as English is. Write it in Latin letters"),
        ({"language": "Hindi"}, "Write it in Devanagari letters, like हिन्दी: a voice reads"),
        ({"language": "Tamil", "greeting": "नमस्ते"}, "Write it in Tamil letters, like தமிழ்"),
    ],
)
def test_a_greeting_in_another_script_is_warned_of_and_served(row: Make, changes: Row, says: str) -> None:
    """People write Hindi in Latin letters, too; a voice reads them as English."""
    catalogue = Catalogue.from_data([row(**changes)])
    assert (catalogue.faults, len(catalogue.active())) == ((), 1)
    (warning,) = catalogue.warnings
    assert (warning.path, warning.persona) == ("$[0].greeting", "asha_vedic_love")
    assert says in warning.message


@pytest.mark.parametrize("greeting", ["🙏", "...", "…!", "-- 💍 --"])
def test_a_greeting_without_a_word_is_warned_of_and_served(row: Make, greeting: str) -> None:
    """No voice can say it."""
    catalogue = Catalogue.from_data([row(greeting=greeting)])
    assert (catalogue.faults, len(catalogue.active())) == ((), 1)
    assert "has no words" in catalogue.warnings[0].message


@pytest.mark.parametrize("markup", ["<b>", "**", "`", "__", "&nbsp;", "</speak>", "<break time='1s'/>", "*smiles*"])
def test_markup_in_a_greeting_is_warned_of_and_served(row: Make, markup: str) -> None:
    """Nobody renders it: it would be read out, or shown as it is."""
    catalogue = Catalogue.from_data([row(greeting=f"Namaste {markup} I am Asha")])
    assert (catalogue.faults, len(catalogue.active())) == ((), 1)
    (warning,) = catalogue.warnings
    assert markup in warning.message


@pytest.mark.parametrize("greeting", ["Namaste, I am Asha 🙏", "It is 5 < 6 & 2 * 3.", "Ask me: love - or marriage?"])
def test_ordinary_greetings_are_not_warned_of(row: Make, greeting: str) -> None:
    """Emoji beside words, and signs that are no markup."""
    assert Catalogue.from_data([row(greeting=greeting)]).warnings == ()


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"timezone": "IST", "hours": "9-5", "days": ["Monday"]}, {"timezone", "hours", "days[0]"}),
        ({"timezone": "IST", "hours": "9-5", "day": ["Mon"]}, {"timezone", "hours", "day"}),
        ({"hours": "9-5", "closed": "never"}, {"timezone", "hours", "closed"}),
        ({"timezone": 5, "weekly": {"Mon": "9-5", "Mond": "9am-5pm"}}, {"timezone", "weekly.Mond"}),
        ({"timezone": "UTC", "hours": "9am\u202e", "closed": ["26/1/2027"]}, {"hours", "closed[0]"}),
        ({"timezone": "UTC", "hours": 9}, {"hours"}),
    ],
)
def test_what_is_wrong_by_shape_hides_nothing_of_the_rest(
    row: Make, faults: Read, changes: Row, paths: set[str]
) -> None:
    """All faults of opening hours are reported at once, and no false ones."""
    told = [fault.path for fault in faults([row(availability=changes)])]
    assert sorted(told) == sorted(f"$[0].availability.{path}" for path in paths)


def test_what_is_wrong_with_a_price_is_told_in_one_go(row: Make, faults: Read) -> None:
    """The amount is checked by the schema, the currency by the list of currencies."""
    told = faults([row(pricing={"per_minute": "10", "currency": "INX", "free": 3})])
    assert {fault.path.rpartition(".")[2] for fault in told} == {"per_minute", "currency", "free"}


def test_a_date_is_asked_for_as_it_is_written(row: Make, faults: Read) -> None:
    """Not by how many characters it lacks."""
    (fault,) = faults([row(availability={"timezone": "UTC", "hours": "always", "closed": ["26/1/2027"]})])
    assert "Write year, month and day, such as 2026-11-08" in fault.message


def test_no_name_is_guessed_that_is_not_near(row: Make, faults: Read) -> None:
    """IST is no MST; the help names a zone of India's."""
    (fault,) = faults([row(availability={"timezone": "IST", "hours": "always"})])
    assert "such as Asia/Kolkata" in fault.message
    assert "Did you mean" not in fault.message


def test_known_names_are_listed_in_one_order(faults: Read, row: Make) -> None:
    """The suggestion is the same in every process."""
    (fault,) = faults({"astrologers": [row()], "voices": {}})
    known = fault.message.partition("Known: ")[2].rstrip(".").split(", ")
    assert known == sorted(known)


def test_nobody_active_is_a_fault(row: Make) -> None:
    """The personas of such a file can be listed, but none can be called."""
    catalogue = Catalogue.from_data({"astrologers": [row(status="inactive")]})
    assert [fault.path for fault in catalogue.faults] == ["$.astrologers"]
    assert "set a status to active" in catalogue.faults[0].message
    assert len(catalogue.all()) == 1


@pytest.mark.parametrize(
    ("changes", "path", "says"),
    [
        ({"astrologer": []}, "$.astrologer", "Did you mean 'astrologers'?"),
        (
            {"memory": "sharred"},
            "$.memory",
            "must be one of private, shared, none, not 'sharred'. Did you mean 'shared'?",
        ),
        ({"voice_aliases": {"nova": "marinn"}}, "$.voice_aliases.nova", "Did you mean 'marin'?"),
        ({"voice_mappings": {"Male": {"Hindi": "nova"}}}, "$.voice_mappings.Male.Hindi", "is a female voice"),
        ({"voice_genders": {"marinn": "Female"}}, "$.voice_genders.marinn", "Did you mean 'marin'?"),
        ({"voice_genders": {"marin": "female"}}, "$.voice_genders.marin", "Did you mean 'Female'?"),
        ({"synonyms": [["a", 1]]}, "$.synonyms[0][1]", "must be text"),
        ({"language_words": {"Hindee": ["kab"]}}, "$.language_words.Hindee", "Did you mean 'Hindi'?"),
        ({"voice_aliases": []}, "$.voice_aliases", "must be an object"),
        ({"voice_mappings": {"Woman": {}}}, "$.voice_mappings.Woman", "must be one of Female, Male, Other"),
        ({"voice_mappings": {"Male": {"Hindee": "ash"}}}, "$.voice_mappings.Male.Hindee", "Did you mean 'Hindi'?"),
        ({"voice_mappings": {"Male": {"Hindi": "bob"}}}, "$.voice_mappings.Male.Hindi", "'bob' is not a voice."),
        ({"language_instructions": {"Hindee": "x"}}, "$.language_instructions.Hindee", "Did you mean 'Hindi'?"),
        ({"language_instructions": {"Hindi": "a\nb"}}, "$.language_instructions.Hindi", "holds U+000A"),
        ({"language_instructions": {"Hindi": 3}}, "$.language_instructions.Hindi", "must be text, not a number."),
        ({"features": []}, "$.features", "must be an object"),
    ],
)
def test_a_fault_of_the_common_part_has_its_path(row: Make, faults: Read, changes: Row, path: str, says: str) -> None:
    """The shared part is checked too, entry by entry."""
    told = faults({"astrologers": [row()]} | changes)
    assert [fault for fault in told if fault.path == path and says in fault.message]


def test_a_fault_of_the_common_part_refuses_only_who_needs_it(row: Make) -> None:
    """A faulty feature makes only the personas that use it invalid; their fault names the declaration."""
    data = {
        "astrologers": [row(), row(astrologer_id="moody", mood="good")],
        "features": {"mood": {"schema": {}, "prompt": "{% for x in value %}{% endfor %}"}},
        "language_instructions": {"English": "Speak English.", "Hindee": "?"},
    }
    catalogue = Catalogue.from_data(data)
    assert list(catalogue.personas) == ["asha_vedic_love"]
    assert [fault.path for fault in catalogue.faults] == [
        "$.features.mood.prompt",
        "$.language_instructions.Hindee",
        "$.astrologers[1].mood",
    ]
    assert "mend features.mood" in catalogue.faults[2].message


def test_a_voice_that_is_null_is_told_once(row: Make, faults: Read) -> None:
    """It is no text, and nothing is missing."""
    found = [fault.message for fault in faults([row(language="Welsh") | {"voice_id": None}]) if "voice" in fault.path]
    assert len(found) == 1
    assert found[0].startswith("must be")


def test_a_row_that_is_empty_is_told_every_field_once(faults: Read) -> None:
    """All missing fields are reported at once."""
    paths = [fault.path for fault in faults([{}])]
    assert sorted(paths) == sorted(f"$[0].{name}" for name in PERSONA_FIELDS if name not in ("voice_id", "status"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
field_names = st.sampled_from(
    [*PERSONA_FIELDS, "tone", "pricing", "availability", "consultation_style", "personality_traits"]
)


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(field_names, json_values, max_size=6), json_values)
def test_whatever_stands_in_a_file_is_loaded_or_told(changes: dict[str, object], other: object) -> None:
    """No JSON value anywhere makes a crash: it is served, or there is a fault with a path."""
    good = {
        **{"astrologer_id": "asha", "name": "Asha", "speciality": "Love", "language": "English", "gender": "Female"},
        **{"voice_id": "nova", "persona": "A", "system_prompt": "A", "greeting": "A", "expertise_keywords": ["a"]},
    }
    catalogue = Catalogue.from_data([{**good, "astrologer_id": "good_one"}, {**good, **changes}, other])
    assert "good_one" in catalogue.personas
    assert len(catalogue.personas) == 2 or any(fault.path.startswith("$[1]") for fault in catalogue.faults)
    assert any(fault.path.startswith("$[2]") for fault in catalogue.faults)


@settings(deadline=None)  # the machine may be busy
@given(json_values)
def test_whatever_a_file_is_it_is_broken_or_a_catalogue(data: object) -> None:
    """Arbitrary JSON as the whole file ends in CatalogueBroken with reasons."""
    with pytest.raises(CatalogueBroken) as broken:
        Catalogue.from_data(data)
    assert broken.value.faults
