"""Callbacks of widgets act on the page's state when they are handled, not on objects captured when they were drawn."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

UI = Path(__file__).parents[2] / "bnlab" / "ui"
CALLBACKS = ("on_click", "on_change", "on_select", "on_dismiss", "on_submit")
IDENTIFIERS = {
    "name",
    "label",
    "key",
    "field",
    "index",
    "digest",
    "digests",
    "stoppable",
    "seeds",
    "arguments",
    "identifiers",
    "id",
    "DEPTH",
}
"""Names of identifiers that callbacks may be given: a field's, a variant's label, a digest, a preset, a number."""


def callbacks(tree: ast.AST) -> Iterator[tuple[int, str, ast.expr]]:
    """The line, the argument's name and the value of each `on_…`, and of the `args` and `kwargs` beside it."""
    for node in ast.walk(tree):
        pairs: list[tuple[str, ast.expr]] = []
        if isinstance(node, ast.Call):
            pairs = [(keyword.arg, keyword.value) for keyword in node.keywords if keyword.arg]
        elif isinstance(node, ast.Dict):
            names = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
            pairs = [(name, value) for name, value in zip(names, node.values, strict=True) if isinstance(name, str)]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "bind":
            _, _, change, *identifiers = node.args
            yield change.lineno, "on_change", change
            yield change.lineno, "args", ast.Tuple(identifiers)
        if any(name in CALLBACKS for name, _ in pairs):
            yield from ((value.lineno, name, value) for name, value in pairs if name in (*CALLBACKS, "args", "kwargs"))


def captured(tree: ast.Module, name: str, value: ast.expr) -> list[str]:
    """What is captured by an argument: bound methods, closures, and anything that is no identifier."""
    if name in CALLBACKS:
        nested = {
            function.name
            for outer in ast.walk(tree)
            if isinstance(outer, ast.FunctionDef)
            for function in ast.walk(outer)
            if isinstance(function, ast.FunctionDef) and function is not outer
        }
        is_function = isinstance(value, ast.Name) and value.id not in nested
        is_word = isinstance(value, ast.Constant) and isinstance(value.value, str)
        return [] if is_function or is_word else [ast.unparse(value)]
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    return [ast.unparse(part) for part in parts if not is_identifier(part)]


def is_identifier(node: ast.expr) -> bool:
    if isinstance(node, ast.Starred):
        node = node.value
    if isinstance(node, ast.ListComp):  # [run.digest for run in runs]
        return is_identifier(node.elt)
    name = {ast.Name: "id", ast.Attribute: "attr"}.get(type(node))
    return isinstance(node, ast.Constant) or (name is not None and getattr(node, name) in IDENTIFIERS)


@pytest.mark.parametrize("path", sorted(UI.rglob("*.py")), ids=lambda path: path.relative_to(UI).as_posix())
def test_callbacks_capture_identifiers_only(path: Path) -> None:
    tree = ast.parse(path.read_text())
    faults = [f"{line}: {part}" for line, name, value in callbacks(tree) for part in captured(tree, name, value)]
    assert not faults


def unguarded_reads(tree: ast.Module) -> list[str]:
    """What callbacks read from the session without asking whether it is there.

    Streamlit also calls the callback of a widget on a page that was left meanwhile, whose value is gone.
    """
    given = [
        keyword.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if (keyword.arg or "").startswith("on_")
    ] + [value for _, name, value in callbacks(tree) if name in CALLBACKS]
    names = {value.id for value in given if isinstance(value, ast.Name)}
    called: list[ast.AST] = [value for value in given if isinstance(value, ast.Lambda)]
    called += [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in names]
    return [
        ast.unparse(node)
        for function in called
        if not re.search(r"in st\.session_state\b(?!\[)", ast.unparse(function))
        for node in ast.walk(function)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)
        if ast.unparse(node.value) == "st.session_state"
    ]


@pytest.mark.parametrize("path", sorted(UI.rglob("*.py")), ids=lambda path: path.relative_to(UI).as_posix())
def test_callbacks_do_without_values_that_are_gone(path: Path) -> None:
    assert not unguarded_reads(ast.parse(path.read_text()))


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("def go(): launch(st.session_state[KEY])\nst.button('Go', on_click=go)", ["st.session_state[KEY]"]),
        ("component(on_value_change=lambda: write(st.session_state[key]['value']))", ["st.session_state[key]"]),
        (
            "def go():\n if 1 in st.session_state[KEY]: launch()\nst.button('Go', on_click=go)",
            ["st.session_state[KEY]"],
        ),
        ("def go(): st.session_state[KEY] = 1\nst.button('Go', on_click=go)", []),
        ("def go(): launch(st.session_state.get(KEY))\nst.button('Go', on_click=go)", []),
    ],
)
def test_an_unguarded_read_is_found(source: str, reads: list[str]) -> None:
    assert unguarded_reads(ast.parse(source)) == reads


def test_no_button_acts_in_the_script() -> None:
    """A press that is handled where the button is drawn is lost if another one interrupts the script before."""
    pressed = [
        f"{path.name}:{node.lineno}"
        for path in UI.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.If | ast.While | ast.Assign | ast.NamedExpr)
        for call in ast.walk(node.value if isinstance(node, ast.Assign | ast.NamedExpr) else node.test)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        if call.func.attr in ("button", "form_submit_button", "download_button")
    ]
    assert not pressed


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("st.button('Stop', on_click=scheduler.stop)", "scheduler.stop"),
        ("st.button('Go', on_click=lambda: launch(specs))", "lambda: launch(specs)"),
        ("def draw(specs):\n def go(): launch(specs)\n st.button('Go', on_click=go)", "go"),
        ("st.toggle('Bias', **bind(key, value, change, spec))", "spec"),
        ("st.button('Go', on_click=launch, args=(scheduler, digest))", "scheduler"),
        ("st.button('Go', on_click=launch, args=(state, [run.spec for run in runs]))", "[run.spec for run in runs]"),
        ("options = {'on_click': launch, 'args': (state.comparison,)}", "state.comparison"),
        ("st.button('Go', on_click=launch, args=(variant.label, index, [run.digest for run in runs], 'x'))", ""),
    ],
)
def test_a_captured_object_is_found(source: str, fault: str) -> None:
    tree = ast.parse(source)
    found = [part for _, name, value in callbacks(tree) for part in captured(tree, name, value)]
    assert found[-1:] == ([fault] if fault else [])
