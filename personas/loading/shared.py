"""The part of a file that all its personas share: features, voices, languages and their words, the memory policy."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from personas.languages import code_of, has_words, unknown_language
from personas.loading.faults import TOO_DEEP, Fault, text_fault, too_deep
from personas.loading.features import Feature, read_declaration
from personas.loading.shape import PERSONA_FIELDS, SHARED_FIELDS, VOICES, shape_faults
from personas.search.words import words
from schemas.explain import listed, nearest, path_of, shown, unknown

_MOST_ENTRIES = 1_000  # of one object


SILENT = "has no words: nothing of it can be spoken. Write the sentence."
ENGLISH = "en"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What callers are told at the beginning: that an AI speaks, and that it attends to feelings, where it does."""

    ai: str
    feelings: str

    def words(self, *, feelings: bool) -> str:
        """The words for a persona who attends to feelings, or who does not."""
        return f"{self.ai} {self.feelings}" if feelings else self.ai


@dataclass(frozen=True, slots=True)
class Shared:
    """The checked shared part of a file.

    `features`: by name; `broken`: names of features whose declaration has faults. `instructions` and
    `disclosures`: by ISO 639-1 code.
    `aliases`: alias to voice. `genders`: voice to gender. `mapped`: (gender, ISO 639-1 code) to voice or alias.
    `synonyms`: groups of phrases that mean the same. `spoken`: ISO 639-1 code to the words by which that language is
    recognised when it is written in the letters of another. `memory`: "private", "shared" or "none". `source`: a hash
    of all of this as it stands in the file.
    """

    features: Mapping[str, Feature]
    broken: frozenset[str]
    instructions: Mapping[str, str]
    disclosures: Mapping[str, Disclosure]
    aliases: Mapping[str, str]
    genders: Mapping[str, str]
    mapped: Mapping[tuple[str, str], str]
    synonyms: Sequence[Sequence[str]]
    spoken: Mapping[str, frozenset[str]]
    memory: str
    source: bytes

    def voice(self, name: str) -> str | None:
        """The voice of the Realtime API that a voice or alias names, or None."""
        return _resolve(name, self.aliases)

    def disclosure(self, code: str, *, feelings: bool) -> str:
        """What callers of a persona of this language are told; in English where the file has no words in it."""
        found = self.disclosures.get(code) or self.disclosures.get(ENGLISH)
        return found.words(feelings=feelings) if found else ""

    def wrong_gender(self, name: str, gender: str) -> str | None:
        """Say that a voice has the other gender, or None. A persona that is neither male nor female may have any."""
        return _wrong_gender(name, gender, self.aliases, self.genders)


def read_shared(data: Mapping[str, Any]) -> tuple[Shared, list[Fault]]:
    """Read the shared part of a file. Faulty entries are left out, so that only the personas that need them fail."""
    unknown_keys = islice((key for key in data if key not in SHARED_FIELDS), _MOST_ENTRIES)
    faults = [Fault(path_of((key,)), unknown(key, SHARED_FIELDS)) for key in unknown_keys]
    declared = data["features"] if isinstance(data.get("features"), dict) else {}
    data = _without_deep_entries(data, faults)
    features = {}
    for name, declaration in _entries(data, "features", faults):
        features[name], found = read_declaration(name, declaration, ("features", name))
        faults += found
    aliases = dict(_checked(data, "voice_aliases", "realtime_voice", faults))
    genders = dict(_genders(data, faults))
    shared = Shared(
        features={name: feature for name, feature in features.items() if feature},
        broken=frozenset(name for name in declared if not features.get(name) and name not in PERSONA_FIELDS),
        instructions=dict(_instructions(data, faults)),
        disclosures=dict(_disclosures(data, faults)),
        aliases=aliases,
        genders=genders,
        mapped=dict(_mapped(data, aliases, genders, faults)),
        synonyms=_synonyms(data, faults),
        spoken=dict(_spoken(data, faults)),
        memory=_memory(data, faults),
        source=hashlib.sha256(orjson.dumps(data)).digest(),
    )
    return shared, faults


def _without_deep_entries(data: Mapping[str, Any], faults: list[Fault]) -> dict[str, Any]:
    """The data without the entries that are nested too deeply, which become faults."""
    kept: dict[str, Any] = {}
    for key, value in data.items():
        entries = value if isinstance(value, dict) else {}
        deep = [name for name, entry in entries.items() if too_deep(entry)]
        faults += [Fault(path_of((key, name)), TOO_DEEP) for name in deep]
        kept[key] = {name: entry for name, entry in entries.items() if name not in deep} if deep else value
    for key in [key for key, value in kept.items() if too_deep(value)]:
        faults.append(Fault(path_of((key,)), TOO_DEEP))
        del kept[key]
    return kept


def _entries(data: Mapping[str, Any], key: str, faults: list[Fault]) -> Iterator[tuple[str, Any]]:
    """The entries of the object under a key; none if it is not an object, or too large."""
    found = data.get(key, {})
    if not isinstance(found, dict):
        faults.append(Fault(path_of((key,)), "must be an object; its keys are the names."))
    elif len(found) > _MOST_ENTRIES:
        faults.append(Fault(path_of((key,)), f"has {len(found)} entries; at most {_MOST_ENTRIES} are read."))
    else:
        yield from found.items()


def _checked(data: Mapping[str, Any], key: str, definition: str, faults: list[Fault]) -> Iterator[tuple[str, Any]]:
    """The entries of the object under a key that fit one of the $defs of the schema."""
    for name, entry in _entries(data, key, faults):
        found = shape_faults(definition, entry, (key, name))
        if not found:
            yield name, entry
        faults += found


def _instructions(data: Mapping[str, Any], faults: list[Fault]) -> Iterator[tuple[str, str]]:
    key = "language_instructions"
    for language, text in _checked(data, key, "language_instruction", faults):
        code = code_of(language)
        fault = unknown_language(language) if code is None else text_fault(text)
        if fault:
            faults.append(Fault(path_of((key, language)), fault))
        elif code:
            yield code, text


def _disclosures(data: Mapping[str, Any], faults: list[Fault]) -> Iterator[tuple[str, Disclosure]]:
    key = "disclosures"
    for language, entry in _checked(data, key, "disclosure", faults):
        code = code_of(language)
        if code is None:
            faults.append(Fault(path_of((key, language)), unknown_language(language)))
            continue
        found = {name: text_fault(said) or (None if has_words(said) else SILENT) for name, said in entry.items()}
        faults += [Fault(path_of((key, language, name)), fault) for name, fault in found.items() if fault]
        if not any(found.values()):
            yield code, Disclosure(**entry)


def _genders(data: Mapping[str, Any], faults: list[Fault]) -> Iterator[tuple[str, str]]:
    key = "voice_genders"
    for voice, gender in _checked(data, key, "gender", faults):
        if voice in VOICES:
            yield voice, gender
        else:
            faults.append(Fault(path_of((key, voice)), unknown_voice(voice, {})))


def _synonyms(data: Mapping[str, Any], faults: list[Fault]) -> Sequence[Sequence[str]]:
    found = shape_faults("synonyms", data.get("synonyms", []), ("synonyms",))
    faults += found
    return [] if found else data.get("synonyms", [])


def _spoken(data: Mapping[str, Any], faults: list[Fault]) -> Iterator[tuple[str, frozenset[str]]]:
    key = "language_words"
    for language, written in _checked(data, key, "words", faults):
        code = code_of(language)
        if code is None:
            faults.append(Fault(path_of((key, language)), unknown_language(language)))
        else:
            yield code, frozenset(word for text in written for word in words(text))


def _mapped(
    data: Mapping[str, Any], aliases: Mapping[str, str], genders: Mapping[str, str], faults: list[Fault]
) -> Iterator[tuple[tuple[str, str], str]]:
    key = "voice_mappings"
    for gender, by_language in _checked(data, key, "voices_by_language", faults):
        faults += shape_faults("gender", gender, (key, gender))
        for language, voice in by_language.items():
            code = code_of(language)
            if code is None:
                faults.append(Fault(path_of((key, gender, language)), unknown_language(language)))
            elif voice not in VOICES and voice not in aliases:
                faults.append(Fault(path_of((key, gender, language)), unknown_voice(voice, aliases)))
            elif wrong := _wrong_gender(voice, gender, aliases, genders):
                faults.append(Fault(path_of((key, gender, language)), wrong))
            else:
                yield (gender, code), voice


def _resolve(voice: str, aliases: Mapping[str, str]) -> str | None:
    return voice if voice in VOICES else aliases.get(voice)


def _wrong_gender(voice: str, gender: str, aliases: Mapping[str, str], genders: Mapping[str, str]) -> str | None:
    actual = genders.get(_resolve(voice, aliases) or "", gender)
    if {gender, actual} != {"Female", "Male"}:
        return None
    fitting = [name for name in (*VOICES, *aliases) if genders.get(_resolve(name, aliases) or "") == gender]
    return (
        f"'{shown(voice)}' is a {actual.lower()} voice. For {gender} there are: {listed(fitting)}; see voice_genders."
    )


def unknown_voice(voice: str, aliases: Mapping[str, str]) -> str:
    """The sentence for a voice that does not exist: which one was probably meant, and which exist."""
    also = f"; by another name: {listed(aliases)}" if aliases else ""
    hint = nearest(voice, {*VOICES, *aliases})
    return f"'{shown(voice)}' is not a voice.{hint} There are: {listed(VOICES)}{also}. Others go into voice_aliases."


def _memory(data: Mapping[str, Any], faults: list[Fault]) -> str:
    memory = data.get("memory", "private")
    found = shape_faults("memory", memory, ("memory",))
    faults += found
    return "private" if found else str(memory)
