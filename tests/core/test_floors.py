"""A module imports from lower floors only, and what the core must not call, it does not call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import symbackprop

PACKAGE = Path(symbackprop.__file__).resolve().parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# The floor of each package or module directly below symbackprop.
FLOORS = {
    "_version": 0,
    "errors": 0,
    "files": 1,
    "figures": 2,
    "interrupts": 1,
    "progress": 1,
    "notation": 1,
    "functions": 2,
    "layers": 3,
    "adjoint": 3,
    "optimizers": 3,
    "network": 4,
    "specification": 4,
    "forms": 4,
    "documents": 5,
    "codegen": 5,
    "reading": 5,
    "claims": 6,
    "diagnosis": 6,
    "verification": 6,
    "training": 6,
    "api": 7,
    "cli": 8,
    "__init__": 9,
    "__main__": 9,
}
# On one floor nobody knows anybody, but for this: a network that was specified is put together by ``network``.
NEIGHBOURS = {("specification", "network")}


def part(module: str) -> str:
    """The part of the package that a dotted module name belongs to: ``symbackprop.forms.lower`` to ``forms``."""
    names = module.split(".")
    return names[1] if len(names) > 1 else "__init__"


def dotted(path: Path) -> str:
    names = ["symbackprop", *path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(names[:-1] if names[-1] == "__init__" and len(names) > 2 else names)


def imports(tree: ast.Module, module: str, is_package: bool) -> Iterator[tuple[int, str]]:
    """Every module of symbackprop that is imported anywhere in ``tree``, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "symbackprop":
                    yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                home = module.split(".") if is_package else module.split(".")[:-1]
                base = ".".join([*home[: len(home) - node.level + 1], *filter(None, [base])])
            if base == "symbackprop":
                yield from ((node.lineno, f"symbackprop.{alias.name}") for alias in node.names)
            elif base.startswith("symbackprop."):
                yield node.lineno, base


def breaches(source: str, module: str, is_package: bool = False) -> list[str]:
    """What ``module`` imports and may not."""
    own = part(module)
    found = []
    for line, imported in imports(ast.parse(source), module, is_package):
        other = part(imported)
        if other not in FLOORS:
            # ``from symbackprop import Network``: the public face, which is above everything.
            other = "__init__"
        if other != own and FLOORS[other] >= FLOORS[own] and (own, other) not in NEIGHBOURS:
            found.append(f"{module}, line {line}: {own} (floor {FLOORS[own]}) imports {imported}")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_from_lower_floors_only(path: Path) -> None:
    module = dotted(path)
    assert part(module) in FLOORS, f"give {part(module)} a floor"
    assert breaches(path.read_text(encoding="utf-8"), module, path.name == "__init__.py") == []


def test_the_package_is_walked() -> None:
    assert {"notation", "functions", "adjoint", "layers", "forms"} <= {part(dotted(path)) for path in MODULES}


@pytest.mark.parametrize(
    ("module", "line", "allowed"),
    [
        ("symbackprop.notation.program", "from symbackprop.errors import SizeError", True),
        ("symbackprop.notation.program", "from symbackprop.notation.indices import close", True),
        ("symbackprop.notation.program", "from .indices import close", True),
        ("symbackprop.notation.program", "from ..errors import SizeError", True),
        ("symbackprop.notation.program", "from ..functions.library import FUNCTIONS", False),
        ("symbackprop.notation.program", "import symbackprop.functions.library", False),
        ("symbackprop.notation.program", "def later():\n    from symbackprop import functions", False),
        ("symbackprop.adjoint.sweep", "from symbackprop.layers.dense import Dense", False),
        ("symbackprop.adjoint.sweep", "from symbackprop.functions.kinks import kinks", True),
        ("symbackprop.layers.dense", "from symbackprop.adjoint import sweep", False),
        ("symbackprop.specification.toml", "from symbackprop.network import describe", True),
        ("symbackprop.network", "from symbackprop.specification import toml", False),
        ("symbackprop.forms.lower", "from symbackprop.network import describe", False),
        ("symbackprop.forms.lower", "from symbackprop.specification.scope import Scope", False),
        ("symbackprop.codegen.kernel", "from symbackprop.documents.tree import Node", False),
        ("symbackprop.codegen.kernel", "from symbackprop.forms.lower import lower", True),
        ("symbackprop.cli.derive", "from symbackprop.api import Network", True),
        ("symbackprop.documents.tree", "from symbackprop import Network", False),
        ("symbackprop.documents.tree", "from symbackprop import __version__", False),
        ("symbackprop.documents.tree", "from symbackprop._version import __version__", True),
        ("symbackprop.errors", "import sympy", True),
    ],
)
def test_a_wrong_import_is_noticed(module: str, line: str, allowed: bool) -> None:
    assert (breaches(line, module) == []) == allowed


# What nobody may do to an expression that a reader will see, or to text that a user wrote

FORBIDDEN_CALLS = {"simplify", "doit", "eval", "exec", "parse_expr", "nsimplify"}
# The code generator executes the source that it has written itself, in one place.
EXECUTES = {"codegen/execution.py": ["exec(compile(source, '<symbackprop>', 'exec'), found)"]}


def forbidden(source: str) -> list[str]:
    """Calls that evaluate text, or rewrite an expression in ways that no step could name."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        of_text = bool(node.args) and (
            isinstance(node.args[0], ast.JoinedStr)
            or (isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str))
            or (isinstance(node.args[0], ast.Call) and getattr(node.args[0].func, "id", "") == "str")
        )
        if name in FORBIDDEN_CALLS or (name in ("sympify", "S") and of_text):
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_is_simplified_or_evaluated_behind_the_readers_back(path: Path) -> None:
    calls = [call.split(": ", 1)[1] for call in forbidden(path.read_text(encoding="utf-8"))]
    assert calls == EXECUTES.get(path.relative_to(PACKAGE).as_posix(), [])


@pytest.mark.parametrize(
    "line",
    [
        "sympy.simplify(x)",
        "x.simplify()",
        "x.doit()",
        "eval(text)",
        "exec(text)",
        "sympy.sympify('x + 1')",
        "sympify(f'{name}')",
        "sympy.S('1/2')",
        "sympy.sympify(str(x))",
        "sympy.parse_expr(text)",
    ],
)
def test_a_forbidden_call_is_noticed(line: str) -> None:
    assert forbidden(line)


def test_what_is_allowed_is_allowed() -> None:
    assert forbidden("sympy.sympify(extent); x.evalf(); sympy.S.One; '''simplify(x)'''") == []


# Within the documents: words, then drawings, then sections, which make a tree; formats read the tree and know no more.
STOREYS = {"languages": 1, "drawings": 2, "sections": 3, "formats": 3}


def storey(module: str) -> int | None:
    names = module.split(".")
    return STOREYS.get(names[2]) if names[1:2] == ["documents"] and len(names) > 2 else None


@pytest.mark.parametrize("path", sorted((PACKAGE / "documents").glob("*/*.py")), ids=lambda path: path.stem)
def test_formats_know_no_sections_and_words_no_drawings(path: Path) -> None:
    module = dotted(path)
    own = storey(module)
    assert own is not None
    for _, imported in imports(ast.parse(path.read_text(encoding="utf-8")), module, path.name == "__init__.py"):
        other = storey(imported)
        home = imported.split(".")[2] if other is not None else ""
        assert other is None or other < own or home == module.split(".")[2], f"{module} imports {imported}"


def test_the_storeys_are_walked() -> None:
    assert {path.parent.name for path in (PACKAGE / "documents").glob("*/*.py")} == set(STOREYS)
