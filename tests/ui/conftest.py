"""Browser fixtures for the tests of what a reader sees."""

from tests.browser import browser_page, chromium

__all__ = ["browser_page", "chromium"]
