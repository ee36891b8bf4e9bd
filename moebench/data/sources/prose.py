"""English prose from the docstrings of Python source code."""

import ast
import re
import warnings
from collections import deque
from collections.abc import Iterator
from itertools import groupby

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_BLOCKS = (ast.stmt, ast.excepthandler, ast.match_case)  # statements, or what contains them
_MARKUP = re.compile(r":[\w:]+:`[~!]?([^`<]*?)(?: <[^`]*>)?`|``?([^`]*)``?")
_WORD = re.compile(r"[(\"']*[A-Za-z][A-Za-z'’/-]*[.,;:!?)\"']*")
_FEWEST_WORDS = 6
_SHARE_OF_WORDS = 0.8  # below it, a paragraph is a formula, a table or a piece of code


def paragraphs(code: str) -> Iterator[str]:
    """Yield the paragraphs of prose in the docstrings of a module, each as one line.

    Prose starts with a capital, ends like a sentence, and at least four fifths of it are plain
    words; signatures, examples, formulas, tables and references are left out. Code that this
    Python cannot parse yields nothing.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in other people's strings
        try:
            tree = ast.parse(code)
        except (SyntaxError, ValueError):
            return
    for node in _statements(tree):
        if isinstance(node, _DOCUMENTED):
            for block in _blocks(ast.get_docstring(node) or ""):
                if _is_prose(block):
                    yield block


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield nodes as `ast.walk` does, but skip expressions, which are nine nodes in ten."""
    waiting = deque([tree])
    while waiting:
        node = waiting.popleft()
        yield node
        for name in node._fields:
            parts = getattr(node, name, None)
            if isinstance(parts, list) and parts and isinstance(parts[0], _BLOCKS):
                waiting.extend(parts)


def _blocks(docstring: str) -> Iterator[str]:
    """Yield runs of lines of equal indentation, which separates headings from their text."""
    for _, lines in groupby(docstring.splitlines(), key=_indentation):
        block = " ".join(" ".join(lines).split())
        yield _MARKUP.sub(lambda match: match[1] or match[2] or "", block)


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip()) if line.strip() else -1


def _is_prose(block: str) -> bool:
    words = block.split()
    if len(words) < _FEWEST_WORDS or not block[0].isupper() or block[-1] not in ".?!:":
        return False
    return sum(bool(_WORD.fullmatch(word)) for word in words) >= _SHARE_OF_WORDS * len(words)
