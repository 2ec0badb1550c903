"""Reads one row of the file: a JSON object becomes a `Persona`, or a list of all its faults.

    row ─▶ known by its source hash? ─▶ that persona, unchanged
     │
     ├─▶ nested too deeply? ─▶ only that fault
     ├─▶ schema of an astrologer (shape.py): types, required fields, lengths
     └─▶ _Reader, which goes on in spite of faults, to find as many as possible in one pass:
            texts          may they stand in a prompt (faults.py)
            language       is it one, and does the file have an instruction for it
            voice          voice_id, or the mapping by gender and language; does its gender fit
            features       each value by its declared schema (feature_values.py), then its prompt line (features.py)
            ─▶ the standing part of the prompt, its estimated tokens, and the version, a hash of all of it

A field with the wrong type was already reported by the schema, so `_Reader` reads it as empty.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice
from types import MappingProxyType
from typing import Any

import orjson

from personas import prompt, tokens
from personas.behaviour import Behaviour
from personas.languages import code_of, unknown_language
from personas.loading.faults import TOO_DEEP, Fault, too_deep
from personas.loading.feature_values import read_value, text_faults
from personas.loading.features import Feature, LineError, PublicFields
from personas.loading.shape import PERSONA_FIELDS, shape_faults
from personas.loading.shared import Shared, unknown_voice
from personas.persona import Persona
from schemas.explain import Parts, path_of, unknown

_MOST_UNKNOWN = 100  # unknown fields of one persona that are reported


def read_persona(
    row: object, at: Parts, shared: Shared, known: Mapping[bytes, Persona]
) -> tuple[Persona | None, list[Fault]]:
    """Read a row. Returns the persona and no faults, or no persona and all faults; `at` is the place of the row.

    A row that was read before with the same shared part is taken from `known`, by source.
    """
    source = _source(shared, row)
    if source in known:
        return known[source], []
    if deep := [Fault(path_of(path), TOO_DEEP, id_of(row)) for path in _too_deep(row, at)]:
        return None, deep
    faults = shape_faults("astrologer", row, at)
    if not isinstance(row, dict):
        return None, faults
    reader = _Reader(row, at, shared, faults)
    persona = reader.read()
    return (None, reader.faults) if reader.faults else (replace(persona, source=source), [])


def id_of(row: object) -> str:
    """The id in a row, or "" if it has none."""
    astrologer_id = row.get("astrologer_id") if isinstance(row, dict) else None
    return astrologer_id if isinstance(astrologer_id, str) else ""


def _source(shared: Shared, row: object) -> bytes:
    """A hash of all that the persona is made of: the row and the shared part of the file."""
    try:
        return hashlib.sha256(shared.source + orjson.dumps(row)).digest()
    except orjson.JSONEncodeError:  # it is nested too deeply, which is reported as a fault
        return b""


def _too_deep(row: object, at: Parts) -> list[Parts]:
    if isinstance(row, dict):
        return [(*at, name) for name, value in row.items() if too_deep(value)]
    return [at] if too_deep(row) else []


class _Reader:
    """Reads one row whose shape was checked. `faults` are those of the shape, then also those found by `read`."""

    def __init__(self, row: Mapping[str, Any], at: Parts, shared: Shared, faults: list[Fault]) -> None:
        self._row = row
        self._at = at
        self._shared = shared
        self._id = self._text("astrologer_id")
        self.faults = [replace(fault, persona=self._id) for fault in faults]

    def read(self) -> Persona:
        """Make the persona. It is valid only if `faults` is empty afterwards."""
        self._check_texts()
        code = self._language_code()
        features = self._features()
        valid: list[Feature] = []
        behaviour: dict[str, Any] = {}
        for name, feature in features.items():
            read, found = read_value(feature, self._row[name], (*self._at, name))
            self._add(found)
            if not found:
                valid.append(feature)
            if read is not None:
                behaviour[name] = read
        persona = replace(self._persona(code, features), behaviour=Behaviour(**behaviour))
        public = PublicFields(persona.public())
        standing = prompt.standing(
            persona.system_prompt,
            language=f"{persona.language} ({code})",
            instruction=self._shared.instructions.get(code, ""),
            expertise=f"{persona.speciality}: {', '.join(persona.keywords)}",
            lines=[line for feature in valid if (line := self._line(feature, public))],
        )
        digest = hashlib.sha256(orjson.dumps(self._row, option=orjson.OPT_SORT_KEYS))
        digest.update(orjson.dumps([persona.voice, code, standing, sorted(persona.shown), persona.disclosure]))
        return replace(persona, standing=standing, tokens=tokens.estimate(standing), version=digest.hexdigest()[:12])

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
            system_prompt=_unix(self._text("system_prompt")),
            greeting=self._text("greeting"),
            disclosure=self._shared.disclosure(code, feelings=self._listens_for_feelings()),
            keywords=tuple(str(word) for word in keywords) if isinstance(keywords, list) else (),
            status=self._text("status") or "active",
            features=MappingProxyType({name: self._row[name] for name in features}),
            behaviour=Behaviour(),
            shown=frozenset(name for name, feature in features.items() if feature.public),
        )

    def _listens_for_feelings(self) -> bool:
        feelings = self._row.get("emotional_intelligence")
        return isinstance(feelings, dict) and bool(feelings.get("listen_for"))

    def _check_texts(self) -> None:
        for name in PERSONA_FIELDS:
            value = self._row.get(name)
            multiline = name == "system_prompt"
            text = _unix(value) if multiline and isinstance(value, str) else value
            self._add(text_faults(text, (*self._at, name), multiline=multiline))

    def _language_code(self) -> str:
        language = self._text("language")
        code = code_of(language)
        if language and code is None:
            self._fault(unknown_language(language), "language")
        elif code and code not in self._shared.instructions:
            self._fault(f"has no instruction. Add language_instructions.{language} to the file.", "language")
        return code or ""

    def _voice(self, voice_id: str) -> str:
        """The voice of the Realtime API that `voice_id` names, or "" with a fault."""
        voice = self._shared.voice(voice_id)
        if voice is None and voice_id:
            self._fault(unknown_voice(voice_id, self._shared.aliases), "voice_id")
        elif "voice_id" not in self._row and not voice and self._text("gender") and code_of(self._text("language")):
            where = f"voice_mappings.{self._text('gender')}.{self._text('language')}"
            self._fault(f"is missing. Write a voice here, or add {where}.", "voice_id")
        elif "voice_id" in self._row:
            self._fault(self._shared.wrong_gender(voice_id, self._text("gender")), "voice_id")
        return voice or ""

    def _features(self) -> dict[str, Feature]:
        """The declared features of this row, in the order of their declarations."""
        known = {*PERSONA_FIELDS, *self._shared.features}
        for name in islice((name for name in self._row if name not in known), _MOST_UNKNOWN):
            if name in self._shared.broken:
                self._fault(f"needs the feature '{name}', whose declaration is broken; mend features.{name}.", name)
            else:
                self._fault(f"{unknown(name, known)} A new one is declared under features.", name)
        return {name: feature for name, feature in self._shared.features.items() if name in self._row}

    def _line(self, feature: Feature, public: PublicFields) -> str:
        try:
            return feature.line(self._row[feature.name], public)
        except LineError as error:
            self._fault(str(error), feature.name)
            return ""

    def _add(self, faults: Iterable[Fault]) -> None:
        self.faults += [replace(fault, persona=self._id) for fault in faults]

    def _text(self, name: str) -> str:
        value = self._row.get(name)
        return value if isinstance(value, str) else ""

    def _fault(self, message: str | None, *parts: str | int) -> None:
        if message:
            self.faults.append(Fault(path_of((*self._at, *parts)), message, self._id))


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")
