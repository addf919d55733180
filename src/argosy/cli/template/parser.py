"""From tokens to nodes."""

from __future__ import annotations

from argosy.cli.template.functions import FUNCTIONS
from argosy.cli.template.lexer import TemplateError, Token, tokens
from argosy.cli.template.nodes import Action, Branch, Call, Chain, Dot, Leave, Literal, Method, Node, Pipeline, Template, Text, Variable

_WORDS = ("if", "else", "end", "with", "range", "break", "continue", "define", "template", "block")
_CONSTANTS = {"true": True, "false": False, "nil": None}


def parse(source: str) -> Template:
    """Return the template; raises TemplateError in Go's words."""
    parser = _Parser(source)
    nodes, closing = parser.list_(depth=0)
    if closing:
        raise parser.error(f"unexpected {{{{{closing}}}}}")
    return Template(source, nodes)


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = tokens(source)
        self._at = 0
        self._variables = ["$"]
        self._loops = 0

    def error(self, what: str) -> TemplateError:
        token = self._tokens[min(self._at, len(self._tokens) - 1)] if self._tokens else None
        line = self._source.count("\n", 0, token.at) + 1 if token else 1
        return TemplateError(f"template: :{line}: {what}")

    def _peek(self) -> Token:
        if self._at >= len(self._tokens):
            raise self.error("unexpected EOF")
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._peek()
        self._at += 1
        return token

    def list_(self, depth: int) -> tuple[list[Node], str]:
        """Parse up to ``end`` or ``else`` and return that word, ``""`` at the end of the source."""
        nodes: list[Node] = []
        while self._at < len(self._tokens):
            token = self._next()
            if token.kind == "text":
                nodes.append(Text(token.value))
                continue
            word = self._peek().value if self._peek().kind == "word" else ""
            if word in ("end", "else"):
                self._at += 1
                if word == "end":
                    self._close("end")
                return nodes, word
            node = self._action(word, depth)
            if node is not None:
                nodes.append(node)
        if depth:
            raise self.error("unexpected EOF")
        return nodes, ""

    def _action(self, word: str, depth: int) -> Node | None:
        if word in ("if", "with", "range"):
            self._at += 1
            return self._branch(word, depth)
        if word in ("break", "continue"):
            self._at += 1
            if not self._loops:
                raise self.error(f"{{{{{word}}}}} outside {{{{range}}}}")
            self._close(word)
            return Leave(word == "continue")
        if word in _WORDS:
            raise self.error(f"{{{{{word}}}}} is not supported")
        if self._peek().kind == "close":
            raise self.error("missing value for command")
        pipeline = self._pipeline()
        self._close("command")
        return Action(pipeline)

    def _branch(self, kind: str, depth: int) -> Branch:
        known = len(self._variables)
        if self._peek().kind == "close":
            raise self.error(f"missing value for {kind}")
        pipeline = self._pipeline(ranging=kind == "range")
        self._close(kind)
        self._loops += kind == "range"
        body, closing = self.list_(depth + 1)
        self._loops -= kind == "range"
        otherwise: list[Node] = []
        if closing == "else":
            again = self._peek()
            if again.kind == "word" and again.value == kind and kind != "range":
                self._at += 1
                otherwise = [self._branch(kind, depth)]
            else:
                self._close("else")
                otherwise, closing = self.list_(depth + 1)
                if closing != "end":
                    raise self.error("expected end; found {{else}}")
        del self._variables[known:]
        return Branch(kind, pipeline, body, otherwise)

    def _close(self, where: str) -> None:
        token = self._next()
        if token.kind != "close":
            self._at -= 1
            raise self.error(f'unexpected "{token.value}" in {where}')

    def _pipeline(self, ranging: bool = False, closing: str = "close") -> Pipeline:
        start = self._peek()
        names, declares = self._assignment(ranging)
        commands: list[Node] = []
        while True:
            commands.append(self._command())
            token = self._peek()
            if token.kind == "punctuation" and token.value == "|":
                self._at += 1
                continue
            break
        for position, command in enumerate(commands[1:], 2):
            if not isinstance(command, Call | Method):
                raise self.error(f"non executable command in pipeline stage {position}")
        if declares:
            self._variables.extend(names)
        return Pipeline(commands, names, declares, start.at, self._source[start.at : self._peek().at].strip())

    def _assignment(self, ranging: bool) -> tuple[list[str], bool]:
        """``$a :=``, ``$a =`` and, in a range, ``$i, $a :=``."""
        names: list[str] = []
        begin = self._at
        while self._peek().kind == "variable":
            names.append(self._next().value)
            token = self._peek()
            if token.kind == "punctuation" and token.value in (":=", "="):
                self._at += 1
                for name in names if token.value == "=" else ():
                    self._known(name)
                return names, token.value == ":="
            if not (ranging and token.kind == "punctuation" and token.value == "," and len(names) < 2):
                break
            self._at += 1
        self._at = begin
        return [], False

    def _known(self, name: str) -> None:
        if name not in self._variables:
            raise self.error(f'undefined variable "{name}"')

    def _command(self) -> Node:
        first = self._peek()
        operands: list[Node] = []
        function = ""
        if first.kind == "word" and first.value not in _CONSTANTS:
            function = self._function()
        while True:
            operand = self._operand()
            if operand is None:
                break
            operands.append(operand)
        text = self._source[first.at : self._peek().at].strip()
        if function:
            return Call(function, operands, first.at, text)
        if not operands:
            token = self._peek()
            raise self.error("missing value for command" if token.kind == "close" else f'unexpected "{token.value}" in operand')
        if len(operands) > 1 and isinstance(operands[0], Chain):
            return Method(operands[0], operands[1:], first.at, text)
        if len(operands) > 1:
            raise TemplateError(f"template: :1:{first.at}: can't give argument to non-function {operands[0].text}")
        return operands[0]

    def _function(self) -> str:
        name = self._next().value
        if name not in FUNCTIONS:
            self._at -= 1
            raise self.error(f'function "{name}" not defined')
        return name

    def _operand(self) -> Node | None:
        token = self._peek()
        node: Node
        if token.kind in ("close", "open", "text") or (token.kind == "punctuation" and token.value != "("):
            return None
        self._at += 1
        if token.kind == "string":
            node = Literal(token.value, token.at, token.value)
        elif token.kind == "number":
            node = Literal(self._number(token), token.at, token.value)
        elif token.kind == "word":
            if token.value in _CONSTANTS:
                return Literal(_CONSTANTS[token.value], token.at, token.value)
            self._at -= 1
            return Call(self._function(), [], token.at, token.value)
        elif token.kind == "variable":
            self._known(token.value)
            node = Variable(token.value, token.at, token.value)
        elif token.kind == "dot":
            return Dot(token.at, ".")
        elif token.kind == "field":
            self._at -= 1
            node = Dot(token.at, ".")
            return self._chain(node, token.at)
        else:
            node = self._pipeline()
            if not (self._peek().kind == "punctuation" and self._peek().value == ")"):
                raise self.error("unclosed left paren")
            self._at += 1
        return self._chain(node, token.at)

    def _chain(self, of: Node, start: int) -> Node:
        """Fields that follow without space, except the very first of a bare ``.a``."""
        fields = []
        first = isinstance(of, Dot)
        while self._peek().kind == "field" and (first or not self._peek().gap):
            fields.append(self._next().value)
            first = False
        if not fields:
            return of
        begin = of.at if not isinstance(of, Dot) else start
        return Chain(of, fields, begin, self._source[begin : self._tokens[self._at - 1].at + len(fields[-1]) + 1])

    def _number(self, token: Token) -> int | float:
        try:
            return int(token.value, 0)
        except ValueError:
            try:
                return float(token.value)
            except ValueError:
                raise self.error(f'bad number syntax: "{token.value}"') from None
