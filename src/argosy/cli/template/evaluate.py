"""Carry out a parsed template."""

from __future__ import annotations

from argosy.cli.template.functions import FUNCTIONS, CallError
from argosy.cli.template.lexer import TemplateError
from argosy.cli.template.nodes import Action, Branch, Call, Chain, Dot, Leave, Literal, Method, Node, Pipeline, Text, Variable
from argosy.cli.template.values import Missing, Record, field, show, truth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from argosy.cli.template.nodes import Template


class _Left(Exception):
    """break and continue travel as one."""

    def __init__(self, again: bool) -> None:
        super().__init__()
        self.again = again


def render(template: Template, data: object) -> str:
    """Return the text; raises TemplateError in Go's words."""
    return _Evaluation(template, data).run()


class _Evaluation:
    def __init__(self, template: Template, data: object) -> None:
        self._template = template
        self._data = data
        self._out: list[str] = []
        self._scopes: list[tuple[str, object]] = [("$", data)]

    def run(self) -> str:
        self._list(self._template.nodes, self._data)
        return "".join(self._out)

    def _error(self, node: Node, what: str) -> TemplateError:
        line_start = self._template.source.rfind("\n", 0, node.at) + 1
        line = self._template.source.count("\n", 0, node.at) + 1
        return TemplateError(f'template: :{line}:{node.at - line_start}: executing "" at <{node.text}>: {what}')

    def _list(self, nodes: Iterable[Node], dot: object) -> None:
        for node in nodes:
            if isinstance(node, Text):
                self._out.append(node.value)
            elif isinstance(node, Action):
                value = self._pipeline(node.pipeline, dot)
                if not node.pipeline.names:
                    self._print(node, value)
            elif isinstance(node, Branch):
                self._branch(node, dot)
            elif isinstance(node, Leave):
                raise _Left(node.again)

    def _print(self, node: Node, value: object) -> None:
        if isinstance(value, Missing):
            raise self._error(node, f'map has no entry for key "{value.name}"')
        self._out.append(show(value))

    def _branch(self, node: Branch, dot: object) -> None:
        depth = len(self._scopes)
        if node.kind == "range":
            self._range(node, dot)
        else:
            value = self._pipeline(node.pipeline, dot)
            inner = value if node.kind == "with" else dot
            if truth(value):
                self._list(node.body, inner)
            else:
                self._list(node.otherwise, dot)
        del self._scopes[depth:]

    def _range(self, node: Branch, dot: object) -> None:
        pipeline = node.pipeline
        value = self._value(pipeline, dot)
        items = self._items(node, value)
        if not items:
            self._list(node.otherwise, dot)
            return
        depth = len(self._scopes)
        for key, item in items:
            names = pipeline.names
            given = [item] if len(names) == 1 else [key, item]
            for name, one in zip(names, given):
                self._set(name, one, pipeline.declares)
            try:
                self._list(node.body, item)
            except _Left as left:
                if not left.again:
                    break
            finally:
                del self._scopes[depth:]

    def _items(self, node: Node, value: object) -> list[tuple[object, object]]:
        if isinstance(value, dict):
            return sorted(value.items())
        if isinstance(value, list | tuple):
            return list(enumerate(value))
        if isinstance(value, int) and not isinstance(value, bool):
            return [(number, number) for number in range(value)]
        if not truth(value) and not isinstance(value, str | bool):
            return []
        raise self._error(node, f"range can't iterate over {show(value)}")

    def _pipeline(self, pipeline: Pipeline, dot: object) -> object:
        value = self._value(pipeline, dot)
        for name in pipeline.names:
            self._set(name, value, pipeline.declares)
        return value

    def _value(self, pipeline: Pipeline, dot: object) -> object:
        value: object = None
        for position, command in enumerate(pipeline.commands):
            extra = (value,) if position else ()
            value = self._evaluate(command, dot, extra)
        return value

    def _set(self, name: str, value: object, declares: bool) -> None:
        if not declares:
            for position in range(len(self._scopes) - 1, -1, -1):
                if self._scopes[position][0] == name:
                    self._scopes[position] = (name, value)
                    return
        self._scopes.append((name, value))

    def _evaluate(self, node: Node, dot: object, extra: tuple[object, ...] = ()) -> object:
        if isinstance(node, Dot):
            return dot
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Variable):
            return next(value for name, value in reversed(self._scopes) if name == node.name)
        if isinstance(node, Chain):
            return self._chain(node, dot)
        if isinstance(node, Pipeline):
            return self._pipeline(node, dot)
        if isinstance(node, Call):
            return self._call(node, dot, extra)
        if isinstance(node, Method):
            method = self._chain(node.of, dot)
            if not callable(method):
                raise self._error(node.of, f"{node.of.fields[-1]} has arguments but cannot be invoked as function")
            return method(*(self._evaluate(argument, dot) for argument in node.arguments), *extra)
        raise self._error(node, "cannot be evaluated")

    def _chain(self, node: Chain, dot: object) -> object:
        value = self._evaluate(node.of, dot)
        parent = ""
        for name in node.fields:
            if isinstance(value, Missing):
                raise self._error(node, f'map has no entry for key "{value.name}"')
            try:
                value, parent = field(value, name, parent), name
            except KeyError:
                kind = type(value).__name__
                raise self._error(node, f"can't evaluate field {name} in type {kind}") from None
            except LookupError:
                what = "nil pointer evaluating interface {}" if value is None else f"can't evaluate field {name} in type {_go_type(value)}"
                raise self._error(node, f"{what}.{name}" if value is None else what) from None
        return value

    def _call(self, node: Call, dot: object, extra: tuple[object, ...]) -> object:
        if node.name in ("and", "or"):
            return self._logic(node, dot, extra)
        arguments = [self._evaluate(argument, dot) for argument in node.arguments]
        function = FUNCTIONS[node.name]
        try:
            return function(*arguments, *extra) if function is not None else None
        except CallError as error:
            what = str(error)
            raise self._error(node, what if what.startswith("error calling") else f"error calling {node.name}: {what}") from None
        except TypeError as error:
            if "argument" not in str(error):
                raise
            given = len(arguments) + len(extra)
            raise self._error(node, f"wrong number of args for {node.name}: got {given}") from None
        except ValueError as error:
            raise self._error(node, f"error calling {node.name}: {error}") from None

    def _logic(self, node: Call, dot: object, extra: tuple[object, ...]) -> object:
        """Stop at the first that decides, as Go 1.18 and newer."""
        value: object = None
        stop = node.name == "or"
        for argument in node.arguments:
            value = self._evaluate(argument, dot)
            if truth(value) == stop:
                return value
        return extra[0] if extra else value


def _go_type(value: object) -> str:
    if isinstance(value, Record):
        return type(value).__name__
    names = {bool: "bool", int: "int", float: "float64", str: "string", list: "[]interface {}", type(None): "nil"}
    return names.get(type(value), "interface {}")
