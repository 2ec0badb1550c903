"""Loading a file, and finding personas in it."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from personas import SHIPPED, Catalogue, CatalogueBroken
from personas.behaviour import Behaviour
from personas.loading.shape import VOICES
from personas.pricing import Pricing
from schemas import Refused
from tests.kit.four import FOUR
from tests.personas.rows import Make, Read

# As the seed shows it, whose greeting says what a greeting is.
SEED_ROW = json.loads("""
{
  "astrologer_id": "tina_kulkarni_vedic_marriage",
  "name": "Tina Kulkarni",
  "speciality": "Vedic Marriage",
  "language": "Hindi",
  "gender": "Female",
  "voice_id": "nova",
  "persona": "Short description",
  "system_prompt": "Full AI instructions",
  "greeting": "Initial greeting message",
  "expertise_keywords": ["विवाह", "शादी", "marriage"],
  "status": "active"
}
""")


def test_the_seeds_row_in_a_bare_list_is_a_file() -> None:
    """Voices, languages and features are those of the file that ships; the script of a greeting causes a warning."""
    catalogue = Catalogue.from_bytes(json.dumps([SEED_ROW]).encode())
    tina = catalogue.get("tina_kulkarni_vedic_marriage")
    assert catalogue.faults == ()
    assert [(warning.path, warning.line) for warning in catalogue.warnings] == [("$[0].greeting", 1)]
    assert (tina.voice, tina.language_code, catalogue.memory) == ("marin", "hi", "private")


def test_what_a_file_says_is_added_to_what_ships(row: Make) -> None:
    """A file adds to the features, languages, voices and words that ship; of equal names its own entry is used."""
    mine = {
        "features": {
            "catchphrase": {"schema": {}, "prompt": "Say {{ value }}."},
            "tone": {"schema": {}, "prompt": "T."},
        },
        "language_instructions": {"Welsh": "Siaradwch Gymraeg.", "English": "Speak English."},
        "voice_mappings": {"Female": {"Welsh": "coral"}},
        "voice_aliases": {"nova": "sage"},
        "synonyms": [["shop", "dukaan"]],
        "language_words": {"Welsh": ["helo"]},
    }
    rows = [row(catchphrase="well", tone="warm", personality_traits=["kind"])]
    rows += [row(astrologer_id="hindi", language="Hindi", voice_id=None, greeting="नमस्ते", expertise_keywords=["shop"])]
    rows += [row(astrologer_id="welsh", language="Welsh", voice_id=None, speciality="Love")]
    catalogue = Catalogue.from_data({"astrologers": rows, **mine})
    assert catalogue.faults == ()
    asha, hindi, welsh = catalogue.all()
    assert "\nT.\nPersonality: kind.\nSay well.\n" in asha.standing
    assert "\nSpeak English.\n" in asha.standing
    assert (asha.voice, hindi.voice, welsh.voice) == ("sage", "marin", "coral")
    assert [match.persona.id for match in catalogue.match("dukaan")] == ["hindi"]
    assert [match.persona.id for match in catalogue.match("pyaar", limit=1)] == ["asha_vedic_love"]


def test_a_fault_in_what_is_added_has_its_own_place(row: Make) -> None:
    """The groups of the file stand before those that ship."""
    catalogue = Catalogue.from_data({"astrologers": [row()], "synonyms": [["a"], ["b", 1]]})
    assert [fault.path for fault in catalogue.faults] == ["$.synonyms[1][1]"]


def test_the_seeds_features_may_simply_be_added() -> None:
    """The values that the seed gives as examples fit the features that ship."""
    style = {"question_frequency": "one at a time", "response_length": "detailed", "use_examples": True}
    hours = {"timezone": "Asia/Kolkata", "hours": "9am-9pm"}
    price = {"per_minute": 10, "currency": "INR"}
    more = {"tone": "warm and empathetic", "consultation_style": style, "pricing": price, "availability": hours}
    catalogue = Catalogue.from_data([SEED_ROW | more])
    assert catalogue.faults == ()
    assert "Reachable, only if asked: 9am-9pm (Asia/Kolkata time)." in catalogue.all()[0].standing


def test_a_bad_one_does_not_take_others_down(row: Make) -> None:
    """The other personas are served; all faults of the bad one are reported at once, with its id."""
    bad = row(astrologer_id="bad", gender="Femal", voice_id="novaa", greeting=None, tonee="warm")
    catalogue = Catalogue.from_data([row(), bad, row(astrologer_id="third")])
    assert list(catalogue.personas) == ["asha_vedic_love", "third"]
    assert {fault.persona for fault in catalogue.faults} == {"bad"}
    assert {fault.path for fault in catalogue.faults} == {"$[1].gender", "$[1].voice_id", "$[1].greeting", "$[1].tonee"}


def test_the_second_of_an_id_is_refused(row: Make) -> None:
    """An id belongs to the first row that has it; the fault of the other row names the place of the first."""
    catalogue = Catalogue.from_data({"astrologers": [row(), row(name="Another")]})
    assert [persona.name for persona in catalogue.all()] == ["Asha"]
    assert [str(fault) for fault in catalogue.faults] == [
        "$.astrologers[1].astrologer_id (asha_vedic_love): 'asha_vedic_love' is taken by $.astrologers[0]. "
        "Give each astrologer an id of its own."
    ]


@pytest.mark.parametrize("data", [[], {}, {"astrologers": []}, {"astrologers": "Tina"}, 7, None, ["Tina"], [{}]])
def test_a_file_without_a_good_persona_is_broken(data: object) -> None:
    """Without a valid persona there is no catalogue, only faults."""
    with pytest.raises(CatalogueBroken) as broken:
        Catalogue.from_data(data)
    assert broken.value.faults
    assert all(fault.path.startswith("$") and fault.message in str(broken.value) for fault in broken.value.faults)


@pytest.mark.parametrize("text", ["", "{", "[NaN]", "\ufeff\ufeff[]", '["\\ud800"]', "[" * 900 + "]" * 900])
def test_a_file_that_is_not_json_is_broken(tmp_path: Path, text: str) -> None:
    """A file that cannot be read has one fault, for the whole file, and causes no traceback."""
    file = tmp_path / "personas.json"
    file.write_text(text)
    with pytest.raises(CatalogueBroken) as broken:
        Catalogue.load(file)
    assert broken.value.faults[0].path == "$" or broken.value.faults[0].path.startswith("$[0]")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The fault names the path of the file."""
    with pytest.raises(CatalogueBroken, match=r"cannot read .*nowhere\.json: No such file"):
        Catalogue.load(tmp_path / "nowhere.json")


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    """Some editors begin a file with a byte order mark."""
    file = tmp_path / "personas.json"
    file.write_text("\ufeff" + SHIPPED.read_text())
    assert Catalogue.load(file).all() == Catalogue.load().all()


def test_an_unknown_astrologer_is_refused_with_the_nearest(row: Make) -> None:
    """The sentence suggests the id that was probably meant, and lists those that can be chosen."""
    catalogue = Catalogue.from_data([row(), row(astrologer_id="quiet", status="inactive")])
    with pytest.raises(Refused) as refused:
        catalogue.get("asha_vedik_love")
    assert refused.value.code == "unknown_astrologer"
    assert refused.value.message == (
        "There is no astrologer 'asha_vedik_love'. Did you mean 'asha_vedic_love'? Choose one of: asha_vedic_love."
    )


def test_an_inactive_astrologer_is_listed_and_refused(row: Make) -> None:
    """An inactive persona is found, but cannot be chosen; the refusal lists those that can."""
    catalogue = Catalogue.from_data([row(), row(astrologer_id="quiet", name="Quiet", status="inactive")])
    with pytest.raises(Refused, match=r"inactive_astrologer: Quiet takes no calls now\. Choose .* asha_vedic_love"):
        catalogue.get("quiet")
    assert [persona.id for persona in catalogue.find(status="inactive")] == ["quiet"]
    assert [persona.id for persona in catalogue.active()] == ["asha_vedic_love"]


def test_a_refusal_stays_short(row: Make) -> None:
    """Neither a long id nor a long list makes a long message."""
    catalogue = Catalogue.from_data([row(astrologer_id=f"asha_{number}") for number in range(50)])
    with pytest.raises(Refused, match="and 40 more") as refused:
        catalogue.get("x" * 100_000)
    assert len(refused.value.message) < 400


def test_filters_take_any_case(row: Make) -> None:
    """Language by name or code, gender, speciality and status, each alone or together."""
    catalogue = FOUR
    assert [p.name for p in catalogue.find(language="hindi")] == ["Tina Kulkarni", "Harsh Dubey"]
    assert catalogue.find(language="HI") == catalogue.find(language="Hindi")
    assert [p.name for p in catalogue.find(gender="MALE", speciality="vedic marriage")] == ["Mohit"]
    assert [p.name for p in catalogue.find(language="English", gender="female", status="Active")] == ["Priyanka"]
    assert catalogue.find(language="Tamil") == catalogue.find(language="Klingon") == ()
    assert len(catalogue.find()) == 4


def test_a_voice_comes_from_the_mapping_when_none_is_named(row: Make) -> None:
    """Without voice_id, the voice follows from gender and language, also by an alias; voice_id takes precedence."""
    data = {
        "astrologers": [row(voice_id=None), row(astrologer_id="own", voice_id="sage")],
        "voice_mappings": {"Female": {"english": "nova"}},
    }
    asha, own = Catalogue.from_data(data).all()
    assert (asha.voice_id, asha.voice, own.voice) == ("nova", "marin", "sage")


@pytest.mark.parametrize("voice", VOICES)
def test_every_realtime_voice_may_be_named(row: Make, voice: str) -> None:
    """A voice of the Realtime API needs no alias."""
    assert Catalogue.from_data([row(voice_id=voice, gender="Other")]).all()[0].voice == voice


def test_a_version_is_the_same_for_the_same_and_another_for_any_change(row: Make) -> None:
    """Whatever shapes a persona changes its version: its own fields, a feature's line, how its language is spoken."""

    def version(data: object) -> str:
        return Catalogue.from_data(data).all()[0].version

    spoken = {"astrologers": [row()], "language_instructions": {"English": "Speak slowly."}}
    line = {"tone": {"schema": {"type": "string"}, "prompt": "Sound {{ value }}."}}
    changed: list[object] = [
        [row()],
        [row(greeting="Hello.")],
        [row(tone="warm")],
        [row(voice_id="sage")],
        [row(persona="Other")],
        spoken,
        {"astrologers": [row(tone="warm")], "features": line},
    ]
    versions = [version(data) for data in changed]
    assert version([row()]) == versions[0]
    assert len(set(versions)) == len(versions)


def test_a_persona_outlives_its_catalogue(row: Make) -> None:
    """A call keeps its persona: the prompt does not change when the file does."""
    old = Catalogue.from_data([row()])
    asha = old.get("asha_vedic_love")
    new = Catalogue.from_data([row(system_prompt="You are somebody else.")])
    assert asha.standing == old.get("asha_vedic_love").standing
    assert asha.version != new.get("asha_vedic_love").version
    assert {asha: 1}[old.get("asha_vedic_love")] == 1


def test_the_shipped_file_is_one_to_edit_by_hand() -> None:
    """Indented, in real letters rather than escapes, and pointing an editor to the schema."""
    text = SHIPPED.read_text()
    assert "\\u" not in text
    assert (SHIPPED.parent / json.loads(text)["$schema"]).resolve().is_file()


NOON = datetime.datetime(2026, 11, 23, 6, 30, tzinfo=datetime.UTC)  # a Monday, in Kolkata
NIGHT = {"timezone": "Asia/Kolkata", "hours": "9pm-2am"}


def test_who_is_closed_is_refused_with_when_and_with_whom_instead(row: Make) -> None:
    """First those of the same speciality and language; without a moment, hours are ignored."""
    rows = [
        row(availability=NIGHT),
        row(astrologer_id="career", speciality="Vedic Career"),
        row(astrologer_id="alike"),
    ]
    catalogue = Catalogue.from_data(rows)
    with pytest.raises(Refused) as refused:
        catalogue.get("asha_vedic_love", NOON)
    assert refused.value.code == "closed_now"
    assert refused.value.message == (
        "Asha takes calls again from 2026-11-23 21:00 (Asia/Kolkata). Choose one of: alike."
    )
    assert catalogue.get("asha_vedic_love", NOON + datetime.timedelta(hours=10)).open_at(NOON) is False
    assert catalogue.get("asha_vedic_love").id == "asha_vedic_love"
    assert [persona.id for persona in catalogue.open(NOON)] == ["career", "alike"]
    assert [persona.id for persona in catalogue.find(NOON, speciality="vedic love")] == ["alike"]


def test_nobody_of_the_same_speciality_is_everybody_open(row: Make) -> None:
    """If nobody is open, the sentence says so."""
    closed = row(availability=NIGHT)
    with pytest.raises(Refused, match="Choose one of: career"):
        Catalogue.from_data([closed, row(astrologer_id="career", speciality="Career")]).get("asha_vedic_love", NOON)
    with pytest.raises(Refused, match="Nobody takes calls now"):
        Catalogue.from_data([closed]).get("asha_vedic_love", NOON)


def test_features_that_do_something_are_read(row: Make) -> None:
    """Price, hours and the number of callers, as values to use; without them, always open and free."""
    more = {"pricing": {"per_minute": 10.5, "currency": "INR"}, "availability": NIGHT, "max_callers": 3}
    asha, plain = Catalogue.from_data([row(**more), row(astrologer_id="plain")]).all()
    assert (asha.behaviour.pricing, asha.behaviour.max_callers) == (Pricing(1050, "INR", 2), 3)
    assert plain.behaviour == Behaviour()
    assert plain.open_at(NOON)
    assert all(persona.open_at(NOON) for persona in FOUR.all())
    assert "max_callers" not in asha.public()


def test_an_inactive_one_is_never_open(row: Make) -> None:
    """Whatever its hours are."""
    (asha,) = Catalogue.from_data([row(status="inactive")]).all()
    assert not asha.open_at(NOON)


def test_a_file_may_declare_hours_its_own_way_but_not_their_meaning(row: Make, faults: Read) -> None:
    """A value must also fit the schema that ships, which the code relies on."""
    loose = {"availability": {"schema": {}, "prompt": "x"}}
    data = {"astrologers": [row(availability={"hours": 9})], "features": loose}
    assert {fault.path for fault in faults(data)} == {
        "$.astrologers[0].availability.timezone",
        "$.astrologers[0].availability.hours",
    }


def test_a_catalogue_has_a_version_for_an_etag(row: Make) -> None:
    """Equal for equal files; different after any change, also of the order."""
    one, other = row(), row(astrologer_id="other")
    versions = [Catalogue.from_data(data).version for data in ([one], [other], [one, other], [other, one])]
    noticed: list[dict[str, Any]] = [
        {"memory": "none"},
        {"synonyms": [["love", "amour"]]},
        {"language_words": {"Hindi": ["kab"]}},
    ]
    versions += [Catalogue.from_data({"astrologers": [one], **more}).version for more in noticed]
    assert len(set(versions)) == 7
    assert Catalogue.from_data([row()]).version == versions[0]


def test_what_an_edit_leaves_alone_is_not_read_again(row: Make) -> None:
    """An unchanged row gives the same object; a change of the row, or of the shared part, gives a new one."""

    def read(rows: list[dict[str, object]], before: Catalogue | None = None, **shared: object) -> Catalogue:
        raw = json.dumps({"astrologers": rows, **shared}).encode()
        catalogue = Catalogue.from_bytes(raw, before.all() if before else ())
        assert catalogue == Catalogue.from_bytes(raw)
        return catalogue

    asha, usha = row(), row(astrologer_id="usha")
    first = read([asha, usha])
    moved = read([{**usha, "name": "Usha"}, row(astrologer_id="meera"), asha], first)
    assert [one.name for one in moved.all()] == ["Usha", "Asha", "Asha"]
    assert moved.get("asha_vedic_love") is first.get("asha_vedic_love")
    other = read([asha], moved, voice_aliases={"nova": "coral"})
    assert other.get("asha_vedic_love").voice == "coral"


def test_the_file_that_ships_is_edited_as_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is removed from the file that ships is gone at once, without a restart."""
    data = json.loads(SHIPPED.read_bytes())
    del data["voice_aliases"]["nova"]
    edited = tmp_path / "shipped.json"
    edited.write_text(json.dumps(data, ensure_ascii=False))
    monkeypatch.setattr("personas.loading.file.SHIPPED", edited)
    faults = Catalogue.load(edited).faults
    assert [fault.path for fault in faults] == ["$.astrologers[0].voice_id"]


def test_one_that_is_nested_too_deeply_does_not_take_others_down(row: Make) -> None:
    """JSON that orjson reads may be too deep for orjson to write."""
    nest = "[" * 300 + "]" * 300
    text = json.dumps([row(), row(astrologer_id="deep", tone=0)]).replace('"tone": 0', f'"tone": {nest}')
    catalogue = Catalogue.from_bytes(text.encode())
    assert list(catalogue.personas) == ["asha_vedic_love"]
    assert [(fault.path, fault.message) for fault in catalogue.faults] == [
        ("$[1].tone", "is nested too deeply to be read.")
    ]


def test_a_feature_that_becomes_public_is_another_version(row: Make) -> None:
    """Clients see more of the persona, although its prompt is the same."""
    versions = set()
    for public in (True, False):
        features = {"mood": {"schema": {"type": "string"}, "public": public}}
        catalogue = Catalogue.from_data({"astrologers": [row(mood="good")], "features": features})
        versions.add((catalogue.version, catalogue.all()[0].version))
    assert len({one for one, _ in versions}) == len({one for _, one in versions}) == 2
