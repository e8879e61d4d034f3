"""Fragments draw in their own place only.

A fragment that writes to a container made outside of it fails with a traceback when its timer ticks after a run of the
page that was interrupted before the fragment wrote there.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

UI = Path(__file__).parents[2] / "bnlab" / "ui"


def functions_with_containers(tree: ast.AST) -> Iterator[str]:
    """The functions in fragments that are given containers: by the annotations of their parameters and aliases."""
    aliases = {"DeltaGenerator"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and mentions(node.value, aliases):
            aliases.add(node.targets[0].id)
        if isinstance(node, ast.ImportFrom):
            aliases |= {name.name for name in node.names if name.name.endswith("Containers")}
    fragments = {
        call.args[0].id
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Name)
        if ast.unparse(call.func).endswith("fragment")
    }
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name in fragments:
            annotations = [argument.annotation for argument in (*function.args.args, *function.args.kwonlyargs)]
            if any(annotation is not None and mentions(annotation, aliases) for annotation in annotations):
                yield function.name


def mentions(node: ast.AST, names: set[str]) -> bool:
    return any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(node))


@pytest.mark.parametrize("path", sorted(UI.rglob("*.py")), ids=lambda path: path.relative_to(UI).as_posix())
def test_no_fragment_is_given_a_container(path: Path) -> None:
    assert not list(functions_with_containers(ast.parse(path.read_text())))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def tick(place: DeltaGenerator): ...\nfragment(tick, 1.0)(st.empty())", ["tick"]),
        ("Places = dict[str, DeltaGenerator]\ndef tick(places: tuple[int, Places]): ...\nst.fragment(tick)", ["tick"]),
        ("def draw(place: DeltaGenerator): ...\nfragment(tick)", []),
        ("def tick(store: Store): ...\nfragment(tick)", []),
    ],
)
def test_a_container_is_found(source: str, found: list[str]) -> None:
    assert list(functions_with_containers(ast.parse(source))) == found
