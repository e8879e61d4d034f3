"""Watching costs no script run: counted on the pages of runs while a network trains, as the messages of its browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg

from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

SPEC = RunSpec(hidden_units=(16,), placement="before_activation", epochs=1000, train_examples=20_000, seed=4)
ADDRESS = "v=Watched~colour~0~placement~before_activation~hidden_units~16&epochs=1000&train_examples=20000&seed=4"
MOVING = {
    "": ".st-key-variant-0 .live-progress",
    "layers": ".st-key-layers-remarks",
    "runs": ".st-key-runs-active-table",
}
"""By page: what changes on it while its network trains. No page has a timer: see tests/ui/test_fragments.py."""
STILL_MS = 1_500


def count_script_runs(page: Page) -> Callable[[], int]:
    """How many script runs the page has asked for since."""
    asked: list[BackMsg] = []

    def note(payload: str | bytes) -> None:
        message = BackMsg.FromString(payload if isinstance(payload, bytes) else payload.encode())
        if message.HasField("rerun_script"):
            asked.append(message)

    page.on("websocket", lambda socket: socket.on("framesent", note))
    return lambda: len(asked)


def test_a_watched_page_runs_no_script_until_its_runs_state_changes(
    browser_page: Page, app_url: str, store: Store
) -> None:
    script_runs = count_script_runs(browser_page)
    browser_page.goto(f"{app_url}/?{ADDRESS}")
    browser_page.locator(".st-key-train button").filter(visible=True).click()
    expect(browser_page.locator(".st-key-variant-0")).to_contain_text("Training, step")
    for path, moving in MOVING.items():
        browser_page.goto(f"{app_url}/{path}?{ADDRESS}")
        expect(browser_page.locator('[data-test-script-state="notRunning"]')).to_be_attached()
        element = browser_page.locator(moving).first
        expect(element).to_contain_text(re.compile(r"step \d"))
        before, rendered = element.inner_text(), script_runs()
        expect(element).not_to_have_text(before)
        browser_page.wait_for_timeout(STILL_MS)
        assert script_runs() == rendered, path

    rendered = script_runs()
    store.request_stop([SPEC.digest])
    wait_until(lambda: store.run(SPEC.digest).state is RunState.STOPPED)
    expect(browser_page.locator(MOVING["runs"])).to_have_count(0)
    browser_page.wait_for_timeout(STILL_MS)
    assert script_runs() - rendered in (1, 2), "once when it is to be stopped, once when it is"


def test_a_page_that_was_open_before_follows_what_another_visitor_trains(
    browser_page: Page, chromium: BrowserContext, app_url: str
) -> None:
    address = f"{app_url}/?{ADDRESS.replace('seed=4', 'seed=5')}"
    browser_page.goto(address)
    expect(browser_page.locator(".st-key-variant-0")).to_contain_text("Not trained yet")
    assert chromium.browser
    visitor = chromium.browser.new_context().new_page()
    visitor.goto(address)
    visitor.locator(".st-key-train button").filter(visible=True).click()
    moving = browser_page.locator(MOVING[""])
    expect(moving).to_contain_text(re.compile(r"Training, step \d"))
    expect(browser_page.locator('[data-chart="training-loss"] .trace path.js-line').first).to_be_attached()
    expect(browser_page.locator(".st-key-variant-0")).not_to_contain_text("Not trained yet")
    train = browser_page.locator(".st-key-train button").filter(visible=True)
    expect(train).not_to_have_text(re.compile("^Train\\b"))

    visitor.get_by_role("button", name="Stop").first.click()
    expect(moving).to_contain_text("Stopped")
    visitor.context.close()
