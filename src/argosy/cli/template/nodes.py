"""The parsed form of a template. Plain slots: templates are parsed on each run, and dataclasses take 10 ms to import."""

from __future__ import annotations


class Node:
    """``at`` is the offset in the source, ``text`` the source of an expression, for messages."""

    __slots__ = ("at", "text")

    def __init__(self, at: int = 0, text: str = "") -> None:
        self.at = at
        self.text = text


class Literal(Node):
    __slots__ = ("value",)

    def __init__(self, value: object, at: int = 0, text: str = "") -> None:
        super().__init__(at, text)
        self.value = value


class Dot(Node):
    __slots__ = ()


class Variable(Node):
    __slots__ = ("name",)

    def __init__(self, name: str, at: int = 0, text: str = "") -> None:
        super().__init__(at, text)
        self.name = name


class Chain(Node):
    """``of.a.b``: fields of what ``of`` is."""

    __slots__ = ("fields", "of")

    def __init__(self, of: Node, fields: list[str], at: int = 0, text: str = "") -> None:
        super().__init__(at, text)
        self.of = of
        self.fields = fields


class Call(Node):
    """A function with its arguments."""

    __slots__ = ("arguments", "name")

    def __init__(self, name: str, arguments: list[Node], at: int = 0, text: str = "") -> None:
        super().__init__(at, text)
        self.name = name
        self.arguments = arguments


class Method(Node):
    """A field with arguments: ``.Label "x"``."""

    __slots__ = ("arguments", "of")

    def __init__(self, of: Chain, arguments: list[Node], at: int = 0, text: str = "") -> None:
        super().__init__(at, text)
        self.of = of
        self.arguments = arguments


class Pipeline(Node):
    """Commands joined by ``|``; ``names`` are variables it sets, declared anew where ``declares``."""

    __slots__ = ("commands", "declares", "names")

    def __init__(self, commands: list[Node], names: list[str], declares: bool, at: int = 0, text: str = "") -> None:
        super().__init__(at, text)
        self.commands = commands
        self.names = names
        self.declares = declares


class Text(Node):
    __slots__ = ("value",)

    def __init__(self, value: str) -> None:
        super().__init__()
        self.value = value


class Action(Node):
    __slots__ = ("pipeline",)

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline.at, pipeline.text)
        self.pipeline = pipeline


class Branch(Node):
    """if, with and range: ``kind`` tells which."""

    __slots__ = ("body", "kind", "otherwise", "pipeline")

    def __init__(self, kind: str, pipeline: Pipeline, body: list[Node], otherwise: list[Node]) -> None:
        super().__init__(pipeline.at, pipeline.text)
        self.kind = kind
        self.pipeline = pipeline
        self.body = body
        self.otherwise = otherwise


class Leave(Node):
    """break and continue."""

    __slots__ = ("again",)

    def __init__(self, again: bool) -> None:
        super().__init__()
        self.again = again


class Template:
    """A parsed template."""

    __slots__ = ("nodes", "source")

    def __init__(self, source: str, nodes: list[Node]) -> None:
        self.source = source
        self.nodes = nodes
