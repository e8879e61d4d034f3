"""No script of a page runs by a timer: what moves by itself comes over the event stream."""

from pathlib import Path

import bnlab


def test_no_fragment_has_a_timer() -> None:
    package = Path(bnlab.__file__).parent
    sources = [*package.rglob("*.py"), *(package.parent / "pages").glob("*.py")]
    assert len(sources) > 100
    assert [path.name for path in sources if "run_every" in path.read_text()] == []
