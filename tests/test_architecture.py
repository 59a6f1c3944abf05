"""The shape of the program: who may import whom, and what no module may do."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
NOT_THE_PROGRAM = {"tests", "benchmarks", "docs"}

PACKAGES = sorted(
    path.parent.name
    for path in REPOSITORY.glob("*/__init__.py")
    if path.parent.name not in NOT_THE_PROGRAM
)
MODULES = sorted(
    path
    for package in PACKAGES
    for path in (REPOSITORY / package).rglob("*.py")
    if "node_modules" not in path.parts
) + [path for path in [REPOSITORY / "app.py"] if path.exists()]
MAY_DRAW = {"ui", "app.py"}
GEO_MAY_IMPORT = {
    "geo", "geopandas", "numpy", "pandas", "pyogrio", "pyproj", "scipy", "shapely", "sklearn",
    "pyarrow", "openpyxl", "xlrd",  # the readers' tables: Arrow, and both kinds of Excel file
    "numba",  # the loops of geo.walking: five times as fast as GEOS (docs/architecture.md)
}  # fmt: skip
SCREEN_LIBRARIES = {"streamlit", "folium", "branca", "streamlit_folium"}
UNSAFE_IMPORTS = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib"}
UNSAFE_CALLS = {"eval", "exec", "compile", "__import__"}
UNSAFE_ATTRIBUTES = {"read_pickle", "to_pickle"}
DISTRIBUTION = {"sklearn": "scikit-learn", "docx": "python-docx", "argon2": "argon2-cffi"}
FORBIDDEN_NAMES = {"util", "utils", "helper", "helpers", "common", "misc"}
RUNS_SQL = {"execute", "executemany", "executescript", "read_sql", "read_sql_query"}


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def imported(tree: ast.Module) -> Iterator[str]:
    """Top-level names of everything a module imports, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def unsafe(tree: ast.Module) -> Iterator[str]:
    """Ways to run what an input holds."""
    for name in imported(tree):
        if name in UNSAFE_IMPORTS:
            yield f"imports {name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Name) and function.id in UNSAFE_CALLS:
                yield f"line {node.lineno}: calls {function.id}"
            if isinstance(function, ast.Attribute) and function.attr in UNSAFE_ATTRIBUTES:
                yield f"line {node.lineno}: calls {function.attr}"
            for keyword in node.keywords:
                on = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
                if on and keyword.arg in {"shell", "allow_pickle"}:
                    yield f"line {node.lineno}: {keyword.arg}=True"


def built_from_values(node: ast.expr) -> bool:
    """Whether an expression puts values into a text: f-string, %, + or .format."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        both_fixed = isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant)
        return isinstance(node.op, ast.Add | ast.Mod) and not both_fixed
    is_method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return is_method and node.func.attr == "format"


def sql_from_values(tree: ast.Module) -> Iterator[str]:
    """Statements run with a text that was put together, also through SQLAlchemy's ``text(...)``."""
    has_alchemy = "sqlalchemy" in set(imported(tree))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        function, statement = node.func, node.args[0]
        runs = isinstance(function, ast.Attribute) and function.attr in RUNS_SQL
        wraps = has_alchemy and isinstance(function, ast.Name) and function.id == "text"
        if (runs or wraps) and built_from_values(statement):
            yield f"line {node.lineno}: {ast.unparse(statement)}"


def complaints(check: Callable[[ast.Module], Iterator[str]], paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(REPOSITORY)}: {complaint}"
        for path in paths
        for complaint in check(tree_of(path))
    ]


def test_imports_point_down() -> None:
    """The contracts stand in pyproject.toml, [tool.importlinter]."""
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()",
         "--no-cache"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


def test_every_package_is_under_the_contracts() -> None:
    tables = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["tool"]
    assert sorted(tables["importlinter"]["root_packages"]) == PACKAGES
    patterns = tables["setuptools"]["packages"]["find"]["include"]
    assert sorted(pattern.rstrip("*") for pattern in patterns) == PACKAGES
    screen = next(c for c in tables["importlinter"]["contracts"] if c["id"] == "screen")
    assert sorted(screen["source_modules"]) == [name for name in PACKAGES if name != "ui"]


def test_only_ui_draws() -> None:
    """Also inside functions, where an import is easily overlooked."""
    found = [
        f"{path.relative_to(REPOSITORY)} imports {name}"
        for path in MODULES
        if path.relative_to(REPOSITORY).parts[0] not in MAY_DRAW
        for name in sorted(set(imported(tree_of(path))) & SCREEN_LIBRARIES)
    ]
    assert found == []


def test_every_library_imported_is_a_dependency() -> None:
    """What another package happens to bring along may be gone with its next version."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project.get("optional-dependencies", {}).values()
    named = {
        re.split(r"[^\w.-]", requirement)[0].lower()
        for requirement in [*project["dependencies"], *(r for extra in extras for r in extra)]
    }
    own = {*PACKAGES, "app", *sys.stdlib_module_names}
    found = {
        f"{path.relative_to(REPOSITORY)} imports {name}"
        for path in MODULES
        for name in set(imported(tree_of(path))) - own
        if DISTRIBUTION.get(name, name).lower() not in named
    }
    assert found == set()


def test_geo_stands_on_libraries_for_geometry_and_tables_alone() -> None:
    allowed = GEO_MAY_IMPORT | set(sys.stdlib_module_names)
    found = {
        f"{path.relative_to(REPOSITORY)} imports {name}"
        for path in MODULES
        if path.relative_to(REPOSITORY).parts[0] == "geo"
        for name in set(imported(tree_of(path))) - allowed
    }
    assert found == set()


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    parts = {
        part
        for path in MODULES
        for part in path.relative_to(REPOSITORY).with_suffix("").parts
        if part.strip("_").lower() in FORBIDDEN_NAMES
    }
    assert parts == set()


def test_nothing_runs_what_an_input_holds() -> None:
    assert complaints(unsafe, MODULES) == []


def test_sql_takes_values_as_parameters() -> None:
    assert complaints(sql_from_values, MODULES) == []


@pytest.mark.parametrize(
    "source",
    ["import pickle", "from shelve import open", "eval('1')", "pd.read_pickle(p)",
     "subprocess.run(c, shell=True)", "np.load(p, allow_pickle=True)"],
)  # fmt: skip
def test_the_check_for_unsafe_calls_sees(source: str) -> None:
    assert list(unsafe(ast.parse(source)))


@pytest.mark.parametrize("source", ["import json", "re.compile('a')", "run(c, shell=False)"])
def test_the_check_for_unsafe_calls_lets_pass(source: str) -> None:
    assert not list(unsafe(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    ["db.execute(f'select {x}')", "db.execute('select ' + x)", "db.execute('select %s' % x)",
     "db.executemany('select {}'.format(x), rows)",
     "from sqlalchemy import text; text(f'select {x}')"],
)  # fmt: skip
def test_the_check_for_sql_sees(source: str) -> None:
    assert list(sql_from_values(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "db.execute('select ?', (x,))",
        "db.execute(f'select 1')",
        "db.execute(QUERY)",
        "text(f'{x}')",
    ],
)
def test_the_check_for_sql_lets_pass(source: str) -> None:
    assert not list(sql_from_values(ast.parse(source)))


def test_no_two_test_modules_share_a_name() -> None:
    # pytest imports them by their bare names, and refuses the second one
    names = [path.name for path in (REPOSITORY / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
