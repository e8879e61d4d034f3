"""A monkey: random actions on all pages, and a record of what the page showed at each press of Train."""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Error, Keyboard, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.navigation import PAGES, PageEntry
from bnlab.ui.runs.table import ROW_HEIGHT, TABLE
from tests.ui.browser.monkey_oracle import LEAVE, Press, missing, unexplained

SCRIPT = Path(__file__).with_suffix(".js")
MAX_EXAMPLES = 4_000
"""Runs that would see more training examples than this are stopped, so that the worker gets on."""
HIDES_LINKS = ("Expand sidebar", "Projector")
"""Labels of the buttons that bring the links to pages back: the sidebar's first, since the other also hides it."""
NOT_PRESSED = ("run-", "resume-")
"""How the keys of buttons begin that start experiments of dozens of runs, which would keep the worker busy."""
NOT_CHANGED = ("dataset",)
"""Fields whose values would be downloaded."""

_ENDS = ("x", "y", "to_x", "to_y")
"""Where a drag begins and ends, as fractions of the control's width and height."""
ALL_VARIANTS = ("all-", "seeds")
"""How the keys of the fields begin that change all variants."""

Action = dict[str, Any]

VALUES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "epochs": (("1", "2", "3"), ("0", "-1", "2.5", "", "1e9")),
    "train_examples": (tuple(map(str, range(64, 640, 11))), ("0", "-5", "70000", "1.5")),
    "seeds": (("1", "2", "3"), ("0", "21", "1.5", "")),
    "hidden_units": (("16", "8-8", "16, 8", "2x8"), ("", "0", "abc", "99999")),
    "learning_rate": (("0.1", "0,02", "1e-3"), ("0", "-1", "fast", "")),
    "batch_size": (("16", "32", "64"), ("0", "5000", "")),
    "momentum": (("0.9", "0.5"), ("1", "x")),
    "epsilon": (("0.001", "0.01"), ("0", "2")),
    "initializer_stddev": (("0.05", "1"), ("-1", "")),
    "seed": (("1", "2", "3", "4"), ("-1", "3e9", "")),
    "name": (("A", "BN **x**", "学生甲", "b -> c"), ("", "~", "x" * 50)),
    "": (("a", "1", "before 2"), ("", "-1", "$x$")),
}
"""By field: small values that are valid, and values that are not. The last entry is for all other fields."""

ADDRESSES = (
    "/?train_examples=320&epochs=2&hidden_units=16",
    "/?preset=placement&train_examples=320&epochs=1&hidden_units=8",
    "/?preset=bias&train_examples=64&epochs=2&hidden_units=8&seeds=2",
    "/?epochs=never&v=A~speed~9",
)
ACTIONS = {
    "enter": 16,
    "train": 8,
    "shortcut": 5,
    "stop": 3,
    "preset": 6,
    "edit": 5,
    "type": 16,
    "choose": 6,
    "leave": 5,
    "row": 8,
    "runs": 10,
    "click": 20,
    "double": 3,
    "key": 8,
    "page": 2,
    "slide": 3,
    "area": 3,
    "back": 1,
    "forward": 1,
    "reload": 1,
    "open": 1,
    "theme": 1,
}
"""The actions with their weights."""
BUTTONS = {
    "train": ("train", "continue-", "runs-continue"),
    "stop": ("stop",),
    "preset": ("presets", "show-", "add-", "question", "more-seeds"),
    "edit": ("edit-", "duplicate"),
    "leave": ("done", "remove"),
    "runs": ("runs-", "export-", "compare-"),
}
"""How the keys of the buttons begin that an action of this name presses."""
MENU = "open-settings"
"""The key of the button that shows the fields that change all variants."""
BURST = (4, 12)
"""The fewest and most actions of a burst."""
QUIET_MS = 300
"""How long nothing is sent or received at the end of a burst."""
MAX_SECONDS = 60.0
"""How long a press may take to be handled, on a machine that has much else to do."""
KEYS = ("Tab", "Tab", "Shift+Tab", "Enter", "Escape", "Escape", "ArrowDown", "ArrowUp", "Space", "PageDown", "Home")


class Monkey:
    """Acts on a page of the app at `url`, and records what it does and sees.

    It acts in bursts: without waiting within one, and only after one is it compared what was shown and launched.

    Attributes:
        actions: what was done, as JSON values; "at" is the time since the first, in seconds.
        presses: the reports of all bursts.
        launches: digest and time of each launch seen in the store, with the spec.
        visited: the names of pages on which a burst ended.
        required: how many presses had to train something.
    """

    def __init__(self, page: Page, url: str, store: Store, seed: int) -> None:
        """Install the reporter in `page`, which must not have been used."""
        self.page, self.url, self.store, self.random = page, url, store, random.Random(seed)
        self.actions: list[Action] = []
        self.presses: list[list[Press]] = [[]]
        self.launches: dict[tuple[str, float], RunSpec] = {}
        self.visited: set[str] = set()
        self.required = 0
        self._started = time.monotonic()
        page.add_init_script(path=SCRIPT)
        page.on("console", self._read_report)
        page.on("popup", lambda other: other.close())
        page.goto(url + ADDRESSES[0])

    @property
    def seconds(self) -> float:
        """The time since it began."""
        return time.monotonic() - self._started

    def burst(self) -> list[str]:
        """Act a few times; returns what was launched but not shown, or shown at a press of Train but not launched.

        Every second burst begins on Compare, the others on each of the other pages by turns.
        """
        number, before = len(self.presses), set(self.launches)
        self.presses.append([])
        others = len(PAGES) - 1
        self._go_to(PAGES[0] if number % 2 == 0 else PAGES[1 + number // 2 % others])
        for index in range(self.random.randint(*BURST)):
            self.act()
            if index % 3 == 2:  # sooner than a run can be deleted
                self.watch()
        self._wait_until_at_rest()
        self.watch()
        presses = self.presses[-1]
        self.required += sum(bool(press.required) for press in presses)
        deadline = time.monotonic() + MAX_SECONDS
        while (lacking := missing(presses, set(self.launches.values()))) and time.monotonic() < deadline:
            self.page.wait_for_timeout(100)
            self.watch()
        launched = {spec for launch, spec in self.launches.items() if launch not in before}
        unknown = unexplained([press for reports in self.presses[-2:] for press in reports], launched)
        faults = {"launched, but not shown when a button was pressed": [unknown] if unknown else []}
        faults["shown when Train was pressed, but not launched"] = lacking
        return [
            f"burst {number}: {fault}: {[spec.model_dump(mode='json', exclude_defaults=True) for spec in specs]}"
            for fault, several in faults.items()
            for specs in several
        ]

    def act(self) -> None:
        """Choose an action that is possible now, and perform it."""
        for _ in range(20):
            kind = self.random.choices(list(ACTIONS), list(ACTIONS.values()))[0]
            action = self._plan(kind)
            if action is not None and self.perform(action):
                return

    def perform(self, action: Action) -> bool:
        """Perform an action; returns whether its control was there."""
        action = {**action, "at": round(self.seconds, 2)}
        self.actions.append(action)
        if not self._perform(action):
            self.actions.pop()
            return False
        return True

    def watch(self) -> None:
        """Record what was launched since the last call, and stop what would train for long."""
        runs = [run for run in self.store.runs() if not run.recorded]
        self.launches |= {(run.digest, run.queued_at): run.spec for run in runs}
        active = [run for run in runs if not run.state.is_finished()]
        long = [run.digest for run in active if run.spec.examples * run.spec.epochs > MAX_EXAMPLES]
        if long or len(active) > 30:
            self.store.request_stop(long if len(active) <= 30 else [run.digest for run in active])

    def _go_to(self, entry: PageEntry) -> None:
        """Follow the link to a page, after what covers it is closed; a projector shows no links."""
        for _ in range(3):
            links = [link for link in self._controls("page") if link["label"].endswith(entry.title)]
            if links and self.perform({**links[0], "do": "page"}):
                return
            buttons = self._controls("button")
            hidden = sorted((b for b in buttons if b["label"] in HIDES_LINKS), key=lambda b: str(b["label"]))
            if hidden:
                self.perform({**hidden[0], "do": "click"})
            else:
                self.perform({"do": "key", "keys": "Escape"})

    def _wait_until_at_rest(self) -> None:
        self.page.wait_for_function("quiet => window.monkey?.rests(quiet)", arg=QUIET_MS)
        path = urlsplit(self.page.url).path.strip("/")
        self.visited.add(path or PAGES[0].name)

    def _plan(self, do: str) -> Action | None:
        """An action that is possible now; None if there is none of this name."""
        if do == "type":
            target = self._target("field")
            return target and target | self._typing(target["key"], {"": 5, "Enter": 2, "Tab": 2, "Control+Enter": 3})
        if do == "enter":
            target = self._target("field", lambda key: key.startswith(ALL_VARIANTS))
            if target is None:
                menu = self._target("button", lambda key: key == MENU)
                return menu and menu | {"do": "menu"}
            return target | self._typing(target["key"], {"Control+Enter": 1, "train": 1})
        if do in ("slide", "area"):
            target = self._target(do)
            return target and target | {"do": "drag", **{end: round(self.random.random(), 2) for end in _ENDS}}
        plans: dict[str, Callable[[], Action | None]] = {
            "row": self._row,
            "choose": lambda: self._target("option") or self._target("button", lambda key: key.startswith("field-")),
            "click": lambda: self._target("button"),
            "double": lambda: self._target("button"),
            "page": lambda: self._target("page"),
            "key": lambda: {"keys": self.random.choice(KEYS)},
            "open": lambda: {"address": self.random.choice(ADDRESSES)},
        }
        if do in BUTTONS:
            plan = self._target("button", lambda key: key.startswith(BUTTONS[do]))
        else:
            plan = plans.get(do, dict)()
        return plan if plan is None else {**plan, "do": do}

    def _row(self) -> Action | None:
        """One of the first rows of the table of runs, to be selected."""
        table = self._target("area", lambda key: key == TABLE)
        return table and table | {"row": self.random.randrange(4)}

    def _target(self, kind: str, accepts: Callable[[str], bool] = lambda _: True) -> Action | None:
        controls = [c for c in self._controls(kind) if accepts(c["key"]) and not _is_left_alone(c["key"])]
        return self.random.choice(controls) if controls else None

    def _controls(self, kind: str) -> list[Action]:
        controls: list[Action] | None = self._evaluate("kind => window.monkey?.controls(kind)", kind)
        return controls or []

    def _evaluate(self, expression: str, argument: Any = None) -> Any:
        """The value of an expression in the page; None if the document is being left."""
        try:
            return self.page.evaluate(expression, argument)
        except Error as error:
            if "Execution context was destroyed" not in str(error):
                raise
            return None

    def _typing(self, key: str, ends: Mapping[str, float]) -> Action:
        """What to type into the field of `key`, and the key or button to press at once after it, by weight."""
        field = next((name for name in VALUES if name == _field(key)), "")
        valid, invalid = VALUES[field]
        text = self.random.choice(valid if self.random.random() < 0.8 else invalid)
        end = self.random.choices(list(ends), list(ends.values()))[0]
        return {"do": "type", "text": text, "end": end}

    def _perform(self, action: Action) -> bool:
        page, do = self.page, action["do"]
        if "key" in action:
            box = self._evaluate("target => window.monkey?.middle(target)", action)
            if box is not None:
                self._use(action, box)
            return box is not None
        without_control: dict[str, Callable[[], object]] = {
            "shortcut": lambda: page.keyboard.press("Control+Enter"),
            "key": lambda: page.keyboard.press(action["keys"]),
            "back": lambda: self._evaluate("() => { if (navigation.canGoBack) history.back(); }"),
            "forward": lambda: self._evaluate("() => history.forward()"),
            "reload": lambda: self._evaluate("() => location.reload()"),
            "open": lambda: self._evaluate("url => { location.href = url }", self.url + action["address"]),
            "theme": lambda: page.emulate_media(color_scheme="dark" if len(self.actions) % 2 else "light"),
        }
        if do in ("back", "forward", "reload", "open"):
            self.presses[-1].append(Press(LEAVE, {}))
        without_control[do]()
        return True

    def _use(self, action: Action, box: Mapping[str, float]) -> None:
        """Drag in the control at `box`, or click it and type."""
        mouse, keyboard = self.page.mouse, self.page.keyboard
        if action["do"] == "drag":
            x, y, to_x, to_y = (
                box[side[-1]] + box["width" if side[-1] == "x" else "height"] * (action[side] - 0.5) for side in _ENDS
            )
            mouse.move(x, y)
            mouse.down()
            mouse.move(to_x, to_y)
            mouse.up()
            return
        if action["do"] == "row":
            left, top = box["x"] - box["width"] / 2, box["y"] - box["height"] / 2
            mouse.click(left + ROW_HEIGHT / 2, top + ROW_HEIGHT * (action["row"] + 1.5))
            return
        mouse.click(box["x"], box["y"], click_count=2 if action["do"] == "double" else 1)
        if action["do"] == "menu":
            with suppress(PlaywrightTimeoutError):  # what was clicked before may have led elsewhere
                self.page.locator('[class*="st-key-all-"] input').first.wait_for(timeout=2_000)
            if (entry := self._plan("enter")) and entry["do"] == "type":
                self.perform(entry)
        if action["do"] == "type":
            end = action["end"]
            for key in ("Control+a", "Delete", *action["text"], *([end] if end and end != "train" else [])):
                _press(keyboard, key)
            if end == "train" and (box_ := self._evaluate("key => window.monkey?.middle({ key, index: 0 })", end)):
                mouse.click(box_["x"], box_["y"])

    def _read_report(self, message: ConsoleMessage) -> None:
        kind, _, text = message.text.partition(" ")
        if kind == "monkey":
            shown = json.loads(text)
            self.presses[-1].append(Press(shown.pop("press"), shown))


def _press(keyboard: Keyboard, key: str) -> None:
    """Press a key, or type a character that no key has."""
    (keyboard.press if len(key) > 1 or key.isascii() else keyboard.insert_text)(key)


def _is_left_alone(key: str) -> bool:
    return key.startswith(NOT_PRESSED) or _field(key) in NOT_CHANGED


def _field(key: str) -> str:
    """The field of the variants that the control of `key` sets, or what else it is for."""
    if key.startswith("field-"):
        return key.split("-", 2)[2]
    return "name" if key.startswith("name-") else key.removeprefix("all-")
