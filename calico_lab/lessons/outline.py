"""What a cell does, as the few lines of comment that a teacher wants to see before she types it.

Each statement is one line; of the arguments of its calls only short ones at the beginning are kept. Imports stand as
they are, because nobody knows those by heart. YAML is told by its objects, a shell's commands by their first words.
"""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable, Iterator
from itertools import takewhile

SOLUTION = "solution"
EXERCISE = "# Your turn: the exercise above. %solution shows one way."
_LEFT_OUT = "…"
_WORDS = 3
_LONGEST = 24


def of(source: str) -> str:
    """Return the outline of a cell's source, every line a comment."""
    head, _, body = source.partition("\n")
    if head.startswith("%%apply"):
        lines = [f"{head} {_LEFT_OUT}", *_objects(body)]
    elif head.startswith("%%"):
        lines = [f"{head} {_LEFT_OUT}", *map(_first_words, _commands(body))]
    else:
        lines = [_statement(statement) for statement in parsed(source).body]
    return "\n".join(f"# {line}" for line in lines)


def parsed(source: str) -> ast.Module:
    """Return the tree of a cell, its magics as the calls that IPython makes of them."""
    from IPython.core.inputtransformer2 import TransformerManager

    transform: Callable[[str], str] = TransformerManager().transform_cell  # type: ignore[no-untyped-call]
    return ast.parse(transform(source))


def _objects(text: str) -> Iterator[str]:
    import yaml

    for item in yaml.safe_load_all(text):
        yield f"    {item['kind']} {item['metadata']['name']}"


def _commands(script: str) -> Iterator[str]:
    """Yield a shell's commands; one whose quotation marks are still open goes on in the next line."""
    begun = ""
    for line in script.splitlines():
        begun += line
        try:
            shlex.split(begun)
        except ValueError:
            begun += " "
            continue
        if begun.strip():
            yield begun
        begun = ""
    if begun:
        yield begun


def _first_words(command: str) -> str:
    words = command.split()
    indent = "    " + " " * (len(command) - len(command.lstrip()))
    return indent + " ".join(words[:_WORDS]) + (f" {_LEFT_OUT}" if len(words) > _WORDS else "")


def _statement(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return ast.unparse(statement)
    if magic := _line_magic(statement):
        return magic
    first, *rest = ast.unparse(_Shortened().visit(statement)).splitlines()
    told = first if '"' in first else first.replace("'", '"')  # as the course writes it
    return f"{told} {_LEFT_OUT}" if rest else told


def _line_magic(statement: ast.stmt) -> str:
    """Return ``%name first words`` when the statement is what IPython makes of a line magic."""
    match statement:
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(attr="run_line_magic"),
                args=[ast.Constant(value=str(name)), ast.Constant(value=str(line))],
            )
        ):
            return f"%{name} {_first_words(line).strip()}"
    return ""


class _Shortened(ast.NodeTransformer):
    """Leaves out the arguments of calls, but for short ones at the beginning, and texts that are long."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if ast.unparse(node.func) == "print":  # what is worth seeing is what is printed
            return ast.Call(node.func, [self.visit(argument) for argument in node.args], [])
        kept: list[ast.expr] = list(takewhile(_is_short, node.args))
        if len(kept) < len(node.args) + len(node.keywords):
            kept.append(ast.Name(_LEFT_OUT))
        return ast.Call(self.visit(node.func), kept, [])

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return node if _is_short(node) else ast.Name(_LEFT_OUT)

    def visit_JoinedStr(self, _node: ast.JoinedStr) -> ast.AST:
        return ast.Name(_LEFT_OUT)


def _is_short(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and len(repr(node.value)) <= _LONGEST
