"""Features: persona fields that the file itself declares, each with a schema and a template for its prompt line.

A template is not trusted, as it comes from a file. It may only insert values: it has no loops, calls or arithmetic,
and only the filters join, default and lower (a loop once made 300 MB of 20 characters). Three layers hold this:
`template_fault` refuses by syntax tree, `_Environment` resolves no attribute of a Python object, and every rendered
line is limited in length and checked as any other text of a prompt.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import SandboxedEnvironment

from personas.loading.faults import TOO_DEEP, Fault, InvalidValue, text_fault, too_deep
from personas.loading.shape import PERSONA_FIELDS, SHARED_FIELDS, Shape, shape_faults, shape_of
from schemas.explain import Parts, path_of, shown

_LONGEST_LINE = 2_000  # characters of a rendered line
_LONGEST_TEXT = 8_000  # characters, if the feature is declared multiline
_DEEPEST = 24  # levels of a template: Python's compiler takes seconds for some expressions that are nested 200 deep

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
_TAKEN = {*SHARED_FIELDS, *PERSONA_FIELDS, "open"}  # `open` is a field that REST adds to a persona
_FILTERS = {"join", "default", "lower"}
_MAY_HOLD = "It may hold text, value, persona, if, and the filters join, default and lower."


class LineError(Exception):
    """The prompt line of a feature cannot be rendered from its value. The text says why, and quotes no value."""


class PublicFields(dict[str, object]):
    """The public fields of a persona: all that a template sees of it."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One declared field: the shape of its value, the template of its prompt line if it has one, who may see it."""

    name: str
    shape: Shape
    template: Template | None
    public: bool
    multiline: bool

    def line(self, value: object, persona: PublicFields) -> str:
        """Render the prompt line; empty if there is no template, or it renders to nothing. Raises LineError."""
        if self.template is None:
            return ""
        text = self._rendered(self.template, value, persona).strip()
        longest = _LONGEST_TEXT if self.multiline else _LONGEST_LINE
        if len(text) > longest:
            raise LineError(f"its prompt line has {len(text)} characters; at most {longest} are allowed.")
        if fault := text_fault(text, multiline=self.multiline):
            raise LineError(f"its prompt line {fault}")
        return text

    def _rendered(self, template: Template, value: object, persona: PublicFields) -> str:
        try:
            return template.render(value=value, persona=persona)
        except LineError:
            raise
        except (TemplateError, TypeError) as error:
            raise LineError(f"its prompt line cannot be written: {error}.") from error
        except Exception as error:  # a template is code: it may raise anything
            raise LineError(f"its prompt line cannot be written: {type(error).__name__}.") from error


def read_declaration(name: str, declaration: object, at: Parts) -> tuple[Feature | None, list[Fault]]:
    """Read one declaration. Returns no feature if it has faults."""
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
    except InvalidValue as error:
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
    """Say what a template contains that is not allowed, or None. It examines the syntax tree and runs nothing."""
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
    except Exception as error:  # of Python's own compiler
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


class _Environment(SandboxedEnvironment):
    """Resolves `a.b` and `a[b]` to items of JSON data only, never to attributes of Python objects."""

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
    """The message for a missing item. `name` is None if it was computed: it may then be a part of a secret value."""
    item = f"'{shown(name)}'" if name else "such item"
    if isinstance(obj, PublicFields):
        return f"the persona shows no {item} to prompt lines, which see its public fields"
    return f"the value has no {item}; write it, or use default(...) in the prompt line"


def _only_words(value: object) -> object:
    """Accept text and numbers. A list, an object, true or null would be rendered in Python's notation."""
    if isinstance(value, bool | list | Mapping) or value is None:
        raise LineError("its prompt line writes a list, an object, true, false or null; use join, or if.")
    return value


def _join(words: object, between: object = "") -> str:
    if not isinstance(words, list) or not isinstance(between, str):
        raise LineError("its prompt line joins what is not a list, or not by a text.")
    return between.join(str(_only_words(word)) for word in words)


def _lower(text: object) -> str:
    return str(_only_words(text)).lower()


_ENVIRONMENT = _Environment(undefined=StrictUndefined, autoescape=False, finalize=_only_words)
_ENVIRONMENT.filters.update(join=_join, lower=_lower)
