"""Links to Compare on a page in AppTest."""

from urllib.parse import parse_qs

from streamlit.testing.v1 import AppTest

from bnlab.ui.navigation import page_path

Parameters = dict[str, list[str]]


def enabled_links(app: AppTest, label: str) -> list[Parameters]:
    """The query parameters of each enabled link with that label."""
    links = [link.proto for link in app.get("page_link")]
    return [parse_qs(link.query_string) for link in links if link.label == label and not link.disabled]


def follow_link(app: AppTest, parameters: Parameters) -> AppTest:
    """Open Compare with the parameters of a link, and no others."""
    app.switch_page(page_path("compare"))
    app.query_params.clear()
    app.query_params.update(parameters)
    return app.run()
