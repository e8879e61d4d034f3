"""A store written by bnlab 0.1, and a description of its content, made at commit e899d6a."""

import gzip
import json
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent / "fixtures"
DESCRIPTION: dict[str, Any] = json.loads((FIXTURES / "store_0_1.json").read_text())


def unpack_old_store(folder: Path) -> str:
    """Write a copy of the store to `folder` and return its URL."""
    path = folder / "store_0_1.db"
    path.write_bytes(gzip.decompress((FIXTURES / "store_0_1.db.gz").read_bytes()))
    return f"sqlite:///{path}"
