"""The links to Compare that a page in AppTest has, and a press on one of them."""

from urllib.parse import parse_qs

from streamlit.testing.v1 import AppTest

Parameters = dict[str, list[str]]


def enabled_links(app: AppTest, label: str) -> list[Parameters]:
    """What the links of that label bring to Compare, those that can be followed."""
    links = [link.proto for link in app.get("page_link")]
    return [parse_qs(link.query_string) for link in links if link.label == label and not link.disabled]


def follow_link(app: AppTest, parameters: Parameters) -> AppTest:
    """Compare, as the browser has it after a press on such a link: it brings these parameters and no others."""
    app.switch_page("pages/compare.py")
    app.query_params.clear()
    app.query_params.update(parameters)
    return app.run()
