"""The store that bnlab 0.1 left behind, and what it holds (see `fixtures/make_store.py.txt`)."""

import gzip
import json
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parent / "fixtures"
DESCRIPTION: dict[str, Any] = json.loads((FIXTURES / "store_0_1.json").read_text())


def unpack_old_store(folder: Path) -> str:
    """Put a copy of the store into `folder`; returns its URL."""
    path = folder / "store_0_1.db"
    path.write_bytes(gzip.decompress((FIXTURES / "store_0_1.db.gz").read_bytes()))
    return f"sqlite:///{path}"
