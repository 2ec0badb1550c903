"""Features: fields that a persona may have because the file declares them, and the lines they add to its prompt.

A template comes from a file, so it can do nothing but fill in words: no loops, no calls, no arithmetic, and of the
filters only join, default and lower (a loop once made 300 MB out of 20 characters).
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import SandboxedEnvironment

from personas.loading.check import TOO_DEEP, Fault, Unusable, text_fault, too_deep
from personas.loading.shape import PERSONA_FIELDS, SHARED_FIELDS, Shape, shape_faults, shape_of
from schemas.explain import Parts, path_of, shown

_LONGEST_LINE = 2_000  # characters, rendered
_LONGEST_TEXT = 8_000  # the same, when declared multiline
_DEEPEST = 24  # Python's own compiler takes seconds over some expressions that are nested 200 deep

_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Const,
    nodes.If,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Filter,
)
_NAMES = {"value", "persona"}
_TAKEN = {*SHARED_FIELDS, *PERSONA_FIELDS, "open"}  # `open` is what clients are shown of a persona besides its fields
_FILTERS = {"join", "default", "lower"}
_MAY_HOLD = "It may hold text, value, persona, if, and the filters join, default and lower."


class Unspeakable(Exception):
    """A feature's line cannot be made from this value; the text says why, and repeats nothing of the value."""


class Seen(dict[str, object]):
    """What prompt lines see of a persona: its public fields."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One declared field: the shape of its value, its prompt line (None: it has none), who may see it."""

    name: str
    shape: Shape
    template: Template | None
    public: bool
    multiline: bool

    def line(self, value: object, persona: Seen) -> str:
        """Render the prompt line; raises Unspeakable. Empty when the feature has nothing to say."""
        if self.template is None:
            return ""
        text = self._rendered(self.template, value, persona).strip()
        longest = _LONGEST_TEXT if self.multiline else _LONGEST_LINE
        if len(text) > longest:
            raise Unspeakable(f"its prompt line has {len(text)} characters; at most {longest} are allowed.")
        if fault := text_fault(text, multiline=self.multiline):
            raise Unspeakable(f"its prompt line {fault}")
        return text

    def _rendered(self, template: Template, value: object, persona: Seen) -> str:
        try:
            return template.render(value=value, persona=persona)
        except Unspeakable:
            raise
        except (TemplateError, TypeError) as error:
            raise Unspeakable(f"its prompt line cannot be written: {error}.") from error
        except Exception as error:  # a template is code, and what it may run into is not ours to foresee
            raise Unspeakable(f"its prompt line cannot be written: {type(error).__name__}.") from error


def declare(name: str, declaration: object, at: Parts) -> tuple[Feature | None, list[Fault]]:
    """Read one declaration; a declaration with faults makes no feature."""
    if too_deep(declaration):
        return None, [Fault(path_of(at), TOO_DEEP)]
    faults = shape_faults("feature", declaration, at)
    if name in _TAKEN or not name.isidentifier():
        faults.append(Fault(path_of(at), "cannot be a feature's name. Choose a plain word that is not a field."))
    if faults or not isinstance(declaration, dict):
        return None, faults
    source = declaration.get("prompt", "")
    if fault := template_fault(source):
        return None, [Fault(path_of((*at, "prompt")), fault)]
    try:
        shape = shape_of(declaration["schema"])
    except Unusable as error:
        return None, [Fault(path_of((*at, "schema", *way)), message) for way, message in error.faults]
    feature = Feature(
        name=name,
        shape=shape,
        template=_compiled(source) if source else None,
        public=declaration.get("public", False),
        multiline=declaration.get("multiline", False),
    )
    return feature, []


@functools.lru_cache(maxsize=256)
def _compiled(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)


@functools.lru_cache(maxsize=256)
def template_fault(source: str) -> str | None:
    """Say what a template may not hold, or None; read from its syntax tree, before anything is run."""
    try:
        tree = _ENVIRONMENT.parse(source)
        nodes_of = tree.find_all(nodes.Node)
        if found := [f"{fault} on line {node.lineno}" for node in nodes_of if (fault := _node_fault(node))]:
            return f"{'; '.join(dict.fromkeys(found))}. {_MAY_HOLD}"
        if _depth(tree) > _DEEPEST:
            return "is nested too deeply."
        _ENVIRONMENT.compile(source)
    except TemplateError as error:
        return f"is not a template that can be read: {error}"
    except RecursionError:
        return "is nested too deeply."
    except Exception as error:  # what Python's own compiler will not take
        return f"is not a template that can be read: {type(error).__name__}."
    return None


def _depth(node: nodes.Node) -> int:
    return 1 + max(map(_depth, node.iter_child_nodes()), default=0)


def _node_fault(node: nodes.Node) -> str | None:
    match node:
        case nodes.Name() if node.name not in _NAMES:
            return f"names '{node.name}', which is not there,"
        case nodes.Getattr() if node.attr.startswith("_"):
            return f"reaches for '{node.attr}', which is not there,"
        case nodes.Getattr(node=nodes.Name(name="persona"), attr="system_prompt"):
            return "reaches for persona.system_prompt, which no prompt line sees,"
        case nodes.Const(value=str(text)) if re.search("[\ud800-\udfff]", text):
            return "holds half of a character"
        case nodes.Filter() if node.name not in _FILTERS or node.kwargs or node.dyn_args or node.dyn_kwargs:
            return f"uses the filter '{node.name}' in a way that is not allowed"
        case _ if not isinstance(node, _ALLOWED):
            return f"holds a {type(node).__name__.lower()}, which is not allowed,"
    return None


class _Words(SandboxedEnvironment):
    """Looks up items of the file's own data only, so that no attribute of a Python object is within reach."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self._item(obj, attribute, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        return self._item(obj, argument, None)

    def _item(self, obj: Any, argument: Any, named: str | None) -> Any:
        if isinstance(obj, Mapping) and isinstance(argument, str) and argument in obj:
            return obj[argument]
        if isinstance(obj, list) and isinstance(argument, int) and 0 <= argument < len(obj):
            return obj[argument]
        return self.undefined(_lacks(obj, named))


def _lacks(obj: object, name: str | None) -> str:
    """That there is no such item; a name that is not spelled out in the template may be a part of the value."""
    item = f"'{shown(name)}'" if name else "such item"
    if isinstance(obj, Seen):
        return f"the persona shows no {item} to prompt lines, which see its public fields"
    return f"the value has no {item}; write it, or use default(...) in the prompt line"


def _only_words(value: object) -> object:
    """Let text and numbers through; a list, an object, true or null would come out as Python's way to write it."""
    if isinstance(value, bool | list | Mapping) or value is None:
        raise Unspeakable("its prompt line writes a list, an object, true, false or null; use join, or if.")
    return value


def _join(words: object, between: object = "") -> str:
    if not isinstance(words, list) or not isinstance(between, str):
        raise Unspeakable("its prompt line joins what is not a list, or not by a text.")
    return between.join(str(_only_words(word)) for word in words)


def _lower(text: object) -> str:
    return str(_only_words(text)).lower()


_ENVIRONMENT = _Words(undefined=StrictUndefined, autoescape=False, finalize=_only_words)
_ENVIRONMENT.filters.update(join=_join, lower=_lower)
