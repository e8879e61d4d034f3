"""The app and the command line do not import TensorFlow: only workers do."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UI = sorted(f"bnlab.ui.{path.stem}" for path in (ROOT / "bnlab" / "ui").glob("[!_]*.py"))
PROGRAM = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print([name for name in ("tensorflow", "keras", "jax", "torch") if name in sys.modules])
"""


def test_imports_do_not_load_tensorflow() -> None:
    command = [sys.executable, "-c", PROGRAM, "bnlab.cli.commands", "bnlab.runs.scheduler", *UI]
    result = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "[]"
