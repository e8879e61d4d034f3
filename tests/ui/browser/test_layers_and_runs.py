"""Layers and Runs in a real Chromium, with real workers: watched while they train, exported and opened again."""

import io
import json
import re
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Page, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState

from bnlab.runs.run import RunState
from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from tests.stored_runs import make_evaluation, record_run
from tests.ui.browser.compare_reader import wait_until_at_rest

pytestmark = pytest.mark.browser

VARIANT = "v=Small~colour~0~placement~before_activation~hidden_units~16"
CHART = "[data-chart=layers-{}-bn_1-gamma]"
"""Looked for again each time: a rerun that meets a tick may put another element in its place."""
LAST_X = "chart => Math.max(...(chart?._fullData ?? []).map(line => line.x?.at(-1) ?? 0))"


def go_to(page: Page, name: str) -> None:
    """To another page by the sidebar, as a reader would: the comparison goes with them."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


@pytest.mark.slow
def test_layers_grow_while_their_network_trains_and_time_can_be_scrubbed(browser_page: Page, app_url: str) -> None:
    asked = watch_what_is_asked(browser_page)
    browser_page.goto(f"{app_url}/?{VARIANT}&epochs=1000&train_examples=20000")  # minutes, or it ends before it is seen
    browser_page.locator(".st-key-train button").filter(visible=True).click()
    expect(browser_page.locator(".st-key-variant-0")).to_contain_text("Training, step")
    go_to(browser_page, "Layers")
    gamma = browser_page.locator(CHART.format("distribution"))
    expect(gamma.locator(".scatterlayer .trace").first).to_be_attached()
    grown = f"([chart, end]) => ({LAST_X})(document.querySelector(chart)) > end"
    browser_page.wait_for_function(grown, arg=[CHART.format("distribution"), gamma.evaluate(LAST_X)])
    assert "v=Small" in browser_page.url, "the comparison is in this page's address too"

    browser_page.get_by_role("radio", name="At one evaluation").or_(
        browser_page.get_by_role("button", name="At one evaluation")
    ).first.click()
    slider = browser_page.get_by_role("slider").first
    expect(slider).to_be_visible()
    histogram = browser_page.locator(CHART.format("histogram"))
    expect(histogram.locator(".barlayer .trace, .scatterlayer .trace").first).to_be_attached()
    slider.press("Home")
    # At the start every gamma is 1, which no later moment shows.
    at_start = "chart => document.querySelector(chart)?._fullData?.[0]?.y.filter(share => share > 0).length === 1"
    browser_page.wait_for_function(at_start, arg=CHART.format("histogram"))
    expect(browser_page).to_have_url(re.compile("layers-moment=0(&|$)"))
    play_and_pause(browser_page, at_start, asked)
    slider.press("Home")
    expect(browser_page).to_have_url(re.compile("layers-moment=0(&|$)"))
    address = browser_page.url
    browser_page.goto(address.replace("histograms", "Foo"))
    expect(browser_page.get_by_text("There is no view 'Foo'.")).to_be_visible()
    browser_page.goto(address)
    browser_page.wait_for_function(at_start, arg=CHART.format("histogram"))

    go_to(browser_page, "Runs")
    expect(browser_page).not_to_have_url(re.compile("layers-moment"))
    open_what_trains(browser_page, asked)


def play_and_pause(page: Page, at_start: str, asked: list[ClientState]) -> None:
    """From the start on: the histograms change, and no script runs until the end."""
    expect(page.locator('[data-test-script-state="notRunning"]')).to_be_attached()
    before = len(asked)
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(f"chart => !({at_start})(chart)", arg=CHART.format("histogram"))
    assert len(asked) == before
    page.get_by_role("button", name="Pause").click()
    expect(page).not_to_have_url(re.compile("layers-moment=0(&|$)"))


def open_what_trains(page: Page, asked: list[ClientState]) -> None:
    """The first run of the list, from Runs in Compare; `asked` is what the browser has asked its server."""
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    choose_rows(page, 1)
    expect(page.get_by_role("link", name="Open in Compare")).to_be_visible()
    on_runs = len(asked)
    open_in_compare(page)
    expect(page.locator(".st-key-variant-0")).to_contain_text("Training, step")
    assert_left_for_good(asked[on_runs - 1].page_script_hash, asked[on_runs:])


def assert_left_for_good(page: str, asked: list[ClientState]) -> None:
    """The browser itself changes the page, and no tick of the one it left comes after that."""
    pages = [message.page_script_hash for message in asked]
    change = next(place for place, other in enumerate(pages) if other != page)
    assert all(message.is_auto_rerun for message in asked[:change])
    assert page not in pages[change:]


def watch_what_is_asked(page: Page) -> list[ClientState]:
    """All that the page's browser asks its server to run, as it comes."""
    asked: list[ClientState] = []

    def note(payload: str | bytes) -> None:
        message = BackMsg.FromString(payload if isinstance(payload, bytes) else payload.encode())
        if message.HasField("rerun_script"):
            asked.append(message.rerun_script)

    page.on("websocket", lambda socket: socket.on("framesent", note))
    return asked


def choose_rows(page: Page, rows: int) -> None:
    """Tick the boxes of the first rows; the table is drawn on a canvas."""
    wait_until_at_rest(page)
    box = page.get_by_test_id("stDataFrame").first.bounding_box()
    assert box is not None
    for row in range(rows):
        page.mouse.click(box["x"] + 18, box["y"] + 36 * (row + 1.5))


def open_in_compare(page: Page) -> None:
    page.get_by_role("link", name="Open in Compare").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Batch normalization lab")


@pytest.mark.slow
def test_a_run_that_is_ticked_just_before_is_opened_too(browser_page: Page, app_url: str, store: Store) -> None:
    specs = [RunSpec(hidden_units=(3,), seed=seed) for seed in (501, 502)]
    for spec in specs:
        record_run(store, spec, (2.0,), (make_evaluation(0),), RunState.STOPPED)
    browser_page.goto(f"{app_url}/runs")
    expect(browser_page.get_by_test_id("stDataFrame")).to_be_visible()
    choose_rows(browser_page, 1)
    expect(browser_page.get_by_role("link", name="Open in Compare")).to_be_visible()
    wait_until_at_rest(browser_page)
    box = browser_page.get_by_test_id("stDataFrame").first.bounding_box()
    assert box is not None
    browser_page.mouse.click(box["x"] + 18, box["y"] + 36 * 2.5)
    browser_page.wait_for_timeout(250)  # Streamlit sends a selection 150 ms after the click
    open_in_compare(browser_page)
    expect(browser_page.locator(".st-key-variant-1")).to_be_visible()
    store.delete(spec.digest for spec in specs)


def rename(page: Page, name: str) -> None:
    page.get_by_role("button", name="Rename").filter(visible=True).first.click()
    page.get_by_role("textbox", name="Name").fill(name)
    page.get_by_role("textbox", name="Name").press("Enter")


def test_runs_are_found_exported_and_opened_again(browser_page: Page, app_url: str, store: Store) -> None:
    spec = RunSpec(placement="before_activation", hidden_units=(16,), epochs=1, train_examples=640)
    browser_page.goto(f"{app_url}/?{VARIANT}&epochs=1&train_examples=640")
    browser_page.locator(".st-key-train button").filter(visible=True).click()
    expect(browser_page.locator(".st-key-variant-0")).to_contain_text("Done: ")

    browser_page.goto(f"{app_url}/runs")
    search = browser_page.get_by_role("textbox", name="Search")
    search.fill(spec.digest[:12])
    search.press("Enter")
    expect(browser_page.get_by_role("button", name="Search: 1 run", exact=True)).to_be_attached()
    choose_rows(browser_page, 1)
    rename(browser_page, " ")
    expect(browser_page.get_by_text("A run needs a name.")).to_be_visible()
    browser_page.keyboard.press("Escape")
    rename(browser_page, "Small 😀")
    expect(browser_page.get_by_role("textbox", name="Name")).to_have_count(0)
    assert store.run(spec.digest).label == "Small 😀"
    browser_page.locator(".st-key-export-start button").filter(visible=True).click()
    with browser_page.expect_download() as download:
        browser_page.locator(".st-key-export-download a").click()
    assert_is_the_run(Path(download.value.path()).read_bytes(), spec)

    open_in_compare(browser_page)
    expect(browser_page.locator(".st-key-variant-0")).to_contain_text("Small")
    expect(browser_page.locator(".st-key-variant-0")).to_contain_text("Done: ")


def assert_is_the_run(packed: bytes, spec: RunSpec) -> None:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        named = {Path(name).name: name for name in archive.namelist()}
        assert json.loads(archive.read(named["spec.json"]))["hidden_units"] == [16]
        metrics = pd.read_csv(archive.open(named["metrics.csv"]))
        assert len(metrics) == spec.total_steps
        columns = pd.read_parquet(io.BytesIO(archive.read(named["metrics.parquet"])))
        pd.testing.assert_frame_equal(metrics, columns, check_dtype=False)
        assert archive.read(named["model.keras"])[:2] == b"PK"
        assert any("tfevents" in name for name in named)


def test_moving_statistics_lead_to_recorded_runs_that_have_them(browser_page: Page, app_url: str) -> None:
    browser_page.goto(f"{app_url}/layers?layers-view=statistics")
    browser_page.locator(".st-key-layers-example button").click()
    expect(browser_page).to_have_url(re.compile("preset=early_validation"))
    expect(browser_page.locator("[data-chart^=layers-statistics-] .scatterlayer .trace").first).to_be_attached()
    expect(browser_page.locator(".st-key-layers-example")).to_have_count(0)
