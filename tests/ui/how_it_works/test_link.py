"""The link from How it works to gamma and beta of recorded runs."""

from pathlib import Path
from urllib.parse import parse_qs

from bnlab.runs.store import Store
from bnlab.ui.navigation import page_path
from tests.opened_page import OpenPage, open_page

__all__ = ["open_page"]


def test_it_opens_what_bn_learned_whatever_layers_showed_before(open_page: OpenPage, tmp_path: Path) -> None:
    app = open_page(Store(f"sqlite:///{tmp_path}/bnlab.db")).switch_page(page_path("layers")).run()
    app.button_group(key="layers-question").set_value("gradients").run()
    app.switch_page(page_path("how_it_works")).run()
    (link,) = app.get("page_link")
    parameters = parse_qs(link.proto.query_string)
    app.switch_page(page_path("layers"))
    app.query_params.clear()
    app.query_params.update(parameters)
    app.run()
    assert not app.exception
    assert app.button_group(key="layers-question").value == "learned"
    assert app.query_params["preset"] in ("gamma_beta", ["gamma_beta"])
