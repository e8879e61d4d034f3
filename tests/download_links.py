"""The links to files on a page in AppTest."""

import re
from html import unescape
from typing import NamedTuple

from streamlit.testing.v1 import AppTest

_LINK = re.compile(r'<a class="download \w+" href="([^"]*)" download="([^"]*)">(.*)</a>')


class DownloadLink(NamedTuple):
    """What a link shows, its address, and the name of the file."""

    label: str
    url: str
    name: str


def download_links(app: AppTest) -> list[DownloadLink]:
    """The links in the order of the page."""
    found = [_LINK.fullmatch(element.proto.body) for element in app.get("html")]
    return [DownloadLink(unescape(link[3]), unescape(link[1]), link[2]) for link in found if link]
