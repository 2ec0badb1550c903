"""One row of the file becomes a persona, or a list of everything that is wrong with it."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import orjson

from personas import prompt
from personas.check import PERSONA_FIELDS, Fault, shape_faults, text_fault, texts_in, value_faults
from personas.features import Feature, Unspeakable
from personas.languages import code_of, unknown_language
from personas.persona import Persona
from personas.shared import Shared, unknown_voice
from schemas.sentences import Parts, path_of, unknown


def read_persona(row: object, at: Parts, shared: Shared) -> tuple[Persona | None, list[Fault]]:
    """Check a row whole and make its persona; with any fault there is no persona, only the faults."""
    faults = shape_faults("astrologer", row, at)
    if not isinstance(row, dict):
        return None, faults
    reader = _Reader(row, at, shared, faults)
    persona = reader.read()
    return (None, reader.faults) if reader.faults else (persona, [])


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
        persona = self._persona(code, features)
        lines = [line for name, feature in features.items() if (line := self._line(name, feature, persona))]
        instruction = self._shared.instructions.get(code, "")
        persona = replace(persona, standing=prompt.standing(persona, instruction=instruction, lines=lines))
        made_of = [self._row, persona.voice, code, persona.standing, sorted(persona.shown)]
        version = hashlib.sha256(orjson.dumps(made_of, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]
        return replace(persona, version=version)

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
            shown=frozenset(name for name, feature in features.items() if feature.public),
        )

    def _check_texts(self) -> None:
        for name in PERSONA_FIELDS:
            multiline = name == "system_prompt"
            for at, text in texts_in(self._row.get(name), (name,)):
                fault = text_fault(text.replace("\r\n", "\n") if multiline else text, multiline=multiline)
                self._fault(fault, *at)

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

    def _line(self, name: str, feature: Feature, persona: Persona) -> str:
        value, before = self._row[name], len(self.faults)
        found = value_faults(feature.schema, value, (*self._at, name))
        self.faults += [replace(fault, persona=self._id) for fault in found]
        for at, text in texts_in(value, (name,)):
            self._fault(text_fault(text, multiline=feature.multiline), *at)
        if len(self.faults) > before:
            return ""
        try:
            return feature.line(value, persona.public())
        except Unspeakable as error:
            self._fault(str(error), name)
            return ""

    def _text(self, name: str) -> str:
        value = self._row.get(name)
        return value if isinstance(value, str) else ""

    def _fault(self, message: str | None, *parts: str | int) -> None:
        if message:
            self.faults.append(Fault(path_of((*self._at, *parts)), message, self._id))
