"""static/render_again.js and the differences of static/live_stream.js, in Chromium, with a clock of the test's own."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page

from bnlab.live.events import difference, encode
from tests.ui.browser.static_scripts import serve_scripts

pytestmark = pytest.mark.browser

NOW = 100_000.0
LONG_AGO = 0.0
AT_REST = {
    "since": NOW,
    "share": 0.5,
    "spread": 0,
    "actedAt": LONG_AGO,
    "renderedAt": LONG_AGO,
    "isRunning": False,
    "asked": None,
}


@pytest.fixture
def scripts(browser_page: Page) -> Page:
    """A page of the test's own, since the scripts keep a state."""
    serve_scripts(browser_page)
    return browser_page


def wait(scripts: Page, now: float = NOW, **changes: object) -> float:
    """The ms until the page is rendered again."""
    call = """async ([now, state]) => (await import("/render_again.js")).waitToRender(now, state)"""
    return float(scripts.evaluate(call, [now, AT_REST | changes]))


def test_pages_ask_at_moments_of_their_own_over_the_time_that_the_server_names(scripts: Page) -> None:
    moments = [wait(scripts, spread=20_000, share=share) for share in (0, 0.25, 1)]
    assert moments == [0, 5_000, 20_000]
    assert wait(scripts, share=1) == 500, "a few pages at once"


def test_changes_until_then_are_rendered_together(scripts: Page) -> None:
    """The moment is that of the first change."""
    assert wait(scripts, NOW + 3_000, spread=20_000, share=0.25) == 2_000


def test_who_has_touched_the_page_does_not_wait_for_others(scripts: Page) -> None:
    assert wait(scripts, spread=20_000, share=1, actedAt=NOW - 1_000) <= 0
    assert wait(scripts, spread=20_000, share=1, actedAt=NOW - 11_000) == 20_000


def test_a_page_that_was_just_rendered_or_is_being_rendered_waits(scripts: Page) -> None:
    assert wait(scripts, actedAt=NOW, renderedAt=NOW - 100) == 500
    assert wait(scripts, actedAt=NOW, isRunning=True) == 200


def test_a_lost_request_is_repeated_later_and_later(scripts: Page) -> None:
    call = """async () => {
        const { patience } = await import("/render_again.js");
        const delays = [patience(null)];
        for (let i = 0; i < 4; i++) delays.push(patience({ time: 0, delay: delays.at(-1) }));
        return delays;
    }"""
    assert scripts.evaluate(call) == [2_000, 4_000, 8_000, 15_000, 15_000]
    assert wait(scripts, asked={"time": NOW - 500, "delay": 2_000}) == 1_500


FOLLOW = """async () => {
  const sources = [];
  window.EventSource = class extends EventTarget {
    constructor() { super(); this.readyState = 1; sources.push(this); }
    close() {}
  };
  Math.random = () => 0.5;
  const { default: follow, subscribe } = await import("/live_stream.js");
  const element = document.createElement("div"), place = document.createElement("p");
  element.className = "live-stream";
  document.body.append(element, place);
  window.rendered = [];
  window.texts = [];
  window.showText = (path, version) => subscribe(place, path, (text) => texts.push(text), version);
  window.show = (version) => follow({
    data: { url: "/live/compare?a=1", name: "ann", version, tasks: [] },
    parentElement: document.body,
    setTriggerValue: (_, asked) => { rendered.push(asked); show(asked); },
  });
  window.send = (kind, data) => sources.at(-1).dispatchEvent(
    Object.assign(new Event(kind), { data: JSON.stringify(data), lastEventId: "a-1" }));
  show("v1");
  send("snapshot", { page: { "": "v1", all: "s1" }, spread: 0, others: { "0": "" } });
  showText("others/0", "v1");
}"""
"""A page of the visitor ann, with a stream of the test's own."""


def followed(scripts: Page) -> Callable[[dict], None]:
    """Follow; returns what sends a change."""
    scripts.clock.install(time=0)
    scripts.evaluate(FOLLOW)
    scripts.clock.run_for(5_000)
    return lambda change: scripts.evaluate("change => send('change', change)", change)


def test_a_state_that_changes_nothing_that_is_offered_asks_for_no_script_run(scripts: Page) -> None:
    send = followed(scripts)
    for number in range(8):
        send({"page": {"all": f"s{number + 2}", "ben": "v9"}, "spread": 0.1})
        scripts.clock.run_for(30_000)
    assert scripts.evaluate("rendered") == []


def test_several_changes_of_what_is_offered_ask_for_one_script_run(scripts: Page) -> None:
    send = followed(scripts)
    for number in (2, 3, 4):
        send({"page": {"": f"v{number}"}, "spread": 20})
        scripts.clock.run_for(1_000)
    assert scripts.evaluate("rendered") == []
    scripts.clock.run_for(40_000)
    assert scripts.evaluate("rendered") == ["v4"]


def test_what_is_said_of_the_reader_waits_until_the_page_knows_the_reader(scripts: Page) -> None:
    send = followed(scripts)
    send({"others": {"0": "Also watched by 1"}})
    assert scripts.evaluate("texts") == ["", "Also watched by 1"]
    send({"page": {"ann": "v2"}, "others": {"0": "Also watched by 2"}})
    assert scripts.evaluate("texts.at(-1)") == "Also watched by 1", "ann herself is the second one"
    scripts.clock.run_for(2_000)
    assert scripts.evaluate("rendered") == ["v2"]
    assert scripts.evaluate("texts.at(-1)") == "Also watched by 1", "the place is still that of the page before"
    scripts.evaluate("showText('others/0', 'v2')")
    assert scripts.evaluate("texts.at(-1)") == "Also watched by 2"


def test_what_is_said_of_the_reader_waits_for_a_page_that_comes_after_it(scripts: Page) -> None:
    send = followed(scripts)
    send({"page": {"ann": "v2"}, "others": {"1": "Also watched by 2"}})
    scripts.evaluate("showText('others/1', 'v2')")
    assert scripts.evaluate("texts") == [""]
    scripts.clock.run_for(2_000)
    assert scripts.evaluate("[rendered, texts]") == [["v2"], ["", "Also watched by 2"]]


def test_a_curve_that_is_thinned_anew_is_merged_as_in_python(scripts: Page) -> None:
    curve = np.random.default_rng(0).normal(size=300).astype(np.float32)
    old, new = {"y": curve[:180]}, {"y": curve[np.sort(np.r_[np.arange(0, 180, 2), 181, 183])]}
    call = """async ([before, patch]) => {
        const { merge } = await import("/live_stream.js");
        return [...merge(merge({}, before), patch).y];
    }"""
    change = difference(old, new)
    assert "mix" in change["y"]
    merged = scripts.evaluate(call, [json.loads(json.dumps(encode(old))), change])
    assert np.array(merged, np.float32).tolist() == new["y"].tolist()
