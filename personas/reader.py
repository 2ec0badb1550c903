"""One row of the file becomes a persona, or a list of everything that is wrong with it."""

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import orjson

from personas import prompt, tokens
from personas.behaviour import READERS, Behaviour
from personas.check import Fault, Unusable, text_fault, texts_in
from personas.features import Feature, Unspeakable
from personas.file import shipped_rest
from personas.languages import code_of, unknown_language, wrong_script
from personas.persona import Persona
from personas.shape import PERSONA_FIELDS, Shape, shape_faults, shape_of
from personas.shared import Shared, unknown_voice
from schemas.sentences import Parts, path_of, unknown


def read_rows(
    rows: Sequence[object], at: Parts, shared: Shared, twice: Sequence[Parts], known: Mapping[bytes, Persona]
) -> tuple[list[tuple[Parts, Persona]], list[Fault]]:
    """Everyone without a fault, with their place, and the faults of all others; `twice` are keys written twice.

    Who is `known`, by source, was read before and is not read again.
    """
    good: list[tuple[Parts, Persona]] = []
    faults = [_twice(way) for way in twice if way[: len(at)] != at or len(way) <= len(at) + 1]
    first: dict[object, str] = {}
    for index, row in enumerate(rows):
        here = (*at, index)
        name = row.get("astrologer_id") if isinstance(row, dict) else None
        persona, found = read_persona(row, here, shared, known)
        found += [_twice(way, str(name or "")) for way in twice if way[: len(here)] == here]
        if isinstance(name, str) and first.setdefault(name, path_of(here)) != path_of(here):
            message = f"'{name}' is taken by {first[name]}. Give each astrologer an id of its own."
            found.append(Fault(path_of((*here, "astrologer_id")), message, name))
        if persona and not found:
            good.append((here, persona))
        faults += found
    return good, faults


def _twice(way: Parts, persona: str = "") -> Fault:
    return Fault(path_of(way), "is written twice in one object. Keep one of the two.", persona)


def read_persona(
    row: object, at: Parts, shared: Shared, known: Mapping[bytes, Persona]
) -> tuple[Persona | None, list[Fault]]:
    """Check a row whole and make its persona; with any fault there is no persona, only the faults."""
    try:
        source = hashlib.sha256(shared.source + orjson.dumps(row)).digest()
    except orjson.JSONEncodeError:  # orjson reads deeper nests than it writes
        return None, [Fault(path_of(at), "is nested too deeply to be read.")]
    if source in known:
        return known[source], []
    faults = shape_faults("astrologer", row, at)
    if not isinstance(row, dict):
        return None, faults
    reader = _Reader(row, at, shared, faults)
    persona = reader.read()
    return (None, reader.faults) if reader.faults else (replace(persona, source=source), [])


class _Reader:
    """Goes through one row; a field that is missing or has the wrong type was told before and counts as empty."""

    def __init__(self, row: Mapping[str, Any], at: Parts, shared: Shared, faults: list[Fault]) -> None:
        self._row = row
        self._at = at
        self._shared = shared
        self._id = self._text("astrologer_id")
        self.faults = [replace(fault, persona=self._id) for fault in faults]

    def read(self) -> Persona:
        self._check_texts()
        code = self._language_code()
        features = self._features()
        done: dict[str, Any] = {}
        sound = {
            name: feature
            for name, feature in features.items()
            if self._fits(name, feature) and (name not in READERS or self._acts(name, done))
        }
        persona = replace(self._persona(code, features), behaviour=Behaviour(**done))
        public = persona.public()
        lines = [line for name, feature in sound.items() if (line := self._line(name, feature, public))]
        instruction = self._shared.instructions.get(code, "")
        standing = prompt.standing(persona, instruction=instruction, lines=lines)
        seen = hashlib.sha256(orjson.dumps(self._row, option=orjson.OPT_SORT_KEYS))
        seen.update(orjson.dumps([persona.voice, code, standing, sorted(persona.shown)]))
        return replace(persona, standing=standing, tokens=tokens.estimate(standing), version=seen.hexdigest()[:12])

    def _persona(self, code: str, features: Mapping[str, Feature]) -> Persona:
        voice_id = self._text("voice_id") or self._shared.mapped.get((self._text("gender"), code), "")
        keywords = self._row.get("expertise_keywords")
        return Persona(
            id=self._id,
            name=self._text("name"),
            speciality=self._text("speciality"),
            language=self._text("language").strip(),
            language_code=code,
            gender=self._text("gender"),
            voice=self._voice(voice_id),
            voice_id=voice_id,
            persona=self._text("persona"),
            system_prompt=self._text("system_prompt").replace("\r\n", "\n"),
            greeting=self._text("greeting"),
            keywords=tuple(str(word) for word in keywords) if isinstance(keywords, list) else (),
            status=self._text("status") or "active",
            features=MappingProxyType({name: self._row[name] for name in features}),
            behaviour=Behaviour(),
            shown=frozenset(name for name, feature in features.items() if feature.public),
        )

    def _check_texts(self) -> None:
        for name in PERSONA_FIELDS:
            multiline = name == "system_prompt"
            for at, text in texts_in(self._row.get(name), (name,)):
                fault = text_fault(text.replace("\r\n", "\n") if multiline else text, multiline=multiline)
                self._fault(fault, *at)
        code = code_of(self._text("language"))
        if code:
            self._fault(wrong_script(self._text("greeting"), code), "greeting")

    def _language_code(self) -> str:
        language = self._text("language")
        code = code_of(language)
        if language and code is None:
            self._fault(unknown_language(language), "language")
        elif code and code not in self._shared.instructions:
            self._fault(f"has no instruction. Add language_instructions.{language} to the file.", "language")
        return code or ""

    def _voice(self, voice_id: str) -> str:
        voice = self._shared.voice(voice_id)
        if voice is None and voice_id:
            self._fault(unknown_voice(voice_id, self._shared.aliases), "voice_id")
        elif voice is None and self._text("gender") and code_of(self._text("language")):
            where = f"voice_mappings.{self._text('gender')}.{self._text('language')}"
            self._fault(f"is missing. Write a voice here, or add {where}.", "voice_id")
        elif "voice_id" in self._row:
            self._fault(self._shared.wrong_gender(voice_id, self._text("gender")), "voice_id")
        return voice or ""

    def _features(self) -> dict[str, Feature]:
        """The declared features of this row, in the order of their declarations."""
        known = (*PERSONA_FIELDS, *self._shared.features)
        for name in self._row:
            if name in self._shared.broken:
                self._fault(f"needs the feature '{name}', whose declaration is broken; mend features.{name}.", name)
            elif name not in known:
                self._fault(f"{unknown(name, known)} A new one is declared under features.", name)
        return {name: feature for name, feature in self._shared.features.items() if name in self._row}

    def _fits(self, name: str, feature: Feature) -> bool:
        value, before = self._row[name], len(self.faults)
        self._add(feature.shape.faults(value, (*self._at, name)))
        for at, text in texts_in(value, (name,)):
            self._fault(text_fault(text, multiline=feature.multiline), *at)
        return len(self.faults) == before

    def _acts(self, name: str, done: dict[str, Any]) -> bool:
        """Read the value of a feature that does something into what is done."""
        value = self._row[name]
        found = _shipped_shape(name).faults(value, (*self._at, name))
        self._add(found)
        try:
            done |= {} if found else {name: READERS[name](value)}
        except Unusable as error:
            for at, message in error.faults:
                self._fault(message, name, *at)
        return name in done

    def _line(self, name: str, feature: Feature, public: Mapping[str, object]) -> str:
        try:
            return feature.line(self._row[name], public)
        except Unspeakable as error:
            self._fault(str(error), name)
            return ""

    def _add(self, faults: Sequence[Fault]) -> None:
        self.faults += [replace(fault, persona=self._id) for fault in faults]

    def _text(self, name: str) -> str:
        value = self._row.get(name)
        return value if isinstance(value, str) else ""

    def _fault(self, message: str | None, *parts: str | int) -> None:
        if message:
            self.faults.append(Fault(path_of((*self._at, *parts)), message, self._id))


@functools.cache
def _shipped_shape(name: str) -> Shape:
    """What a feature that does something must fit, however a file declares it."""
    return shape_of(shipped_rest()["features"][name]["schema"])
