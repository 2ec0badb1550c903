"""What all personas of one file share: features, voices, language instructions, the memory policy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from personas.check import SHARED_FIELDS, VOICES, Fault, shape_faults, text_fault
from personas.features import Feature, declare
from personas.languages import code_of, unknown_language
from schemas.sentences import nearest, path_of, unknown


@dataclass(frozen=True, slots=True)
class Shared:
    """The checked common part of a file. `broken` names features that are declared but could not be read.

    Languages are keyed by ISO 639-1 code, mapped voices by gender and that code.
    """

    features: Mapping[str, Feature]
    broken: frozenset[str]
    instructions: Mapping[str, str]
    aliases: Mapping[str, str]
    mapped: Mapping[tuple[str, str], str]
    memory: str

    def voice(self, name: str) -> str | None:
        """Resolve a voice or an alias to a voice of the upstream, or None."""
        return name if name in VOICES else self.aliases.get(name)


def share(data: Mapping[str, Any]) -> tuple[Shared, list[Fault]]:
    """Read the common part. What is faulty is left out and told, so that only those who need it are refused."""
    faults = [Fault(path_of((key,)), unknown(key, SHARED_FIELDS)) for key in data if key not in SHARED_FIELDS]
    features = {}
    for name, declaration in _entries(data, "features", faults):
        features[name], found = declare(name, declaration, ("features", name))
        faults += found
    aliases = dict(_checked(data, "voice_aliases", "realtime_voice", faults))
    shared = Shared(
        features={name: feature for name, feature in features.items() if feature},
        broken=frozenset(name for name, feature in features.items() if not feature),
        instructions=dict(_instructions(data, faults)),
        aliases=aliases,
        mapped=dict(_mapped(data, aliases, faults)),
        memory=_memory(data, faults),
    )
    return shared, faults


def _entries(data: Mapping[str, Any], key: str, faults: list[Fault]) -> Iterator[tuple[str, Any]]:
    found = data.get(key, {})
    if isinstance(found, dict):
        yield from found.items()
    else:
        faults.append(Fault(path_of((key,)), "must be an object; its keys are the names."))


def _checked(data: Mapping[str, Any], key: str, definition: str, faults: list[Fault]) -> Iterator[tuple[str, Any]]:
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


def _mapped(
    data: Mapping[str, Any], aliases: Mapping[str, str], faults: list[Fault]
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
            else:
                yield (gender, code), voice


def unknown_voice(voice: str, aliases: Mapping[str, str]) -> str:
    """Say that the upstream has no such voice, and which there are."""
    also = f"; by another name: {', '.join(aliases)}" if aliases else ""
    hint = nearest(voice, {*VOICES, *aliases})
    return f"'{voice}' is not a voice.{hint} There are: {', '.join(VOICES)}{also}. Others go into voice_aliases."


def _memory(data: Mapping[str, Any], faults: list[Fault]) -> str:
    memory = data.get("memory", "private")
    found = shape_faults("memory", memory, ("memory",))
    faults += found
    return "private" if found else str(memory)
