"""A monkey: random actions on all pages, and a record of what the page showed at each press of Train."""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Error, Keyboard, Page

from bnlab.runs.store import Store
from bnlab.specs.run_spec import RunSpec
from bnlab.ui.navigation import PAGES
from tests.ui.browser.monkey_oracle import Press, faults

SCRIPT = Path(__file__).with_suffix(".js")
MAX_EXAMPLES = 4_000
"""Runs that would see more training examples than this are stopped, so that the worker gets on."""
NOT_PRESSED = ("run-", "go-on-")
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
    "enter": 20,
    "train": 9,
    "shortcut": 4,
    "type": 24,
    "click": 22,
    "double": 2,
    "choose": 8,
    "key": 9,
    "page": 6,
    "leave": 6,
    "slide": 3,
    "area": 3,
    "back": 2,
    "forward": 2,
    "reload": 1,
    "open": 1,
    "theme": 1,
}
"""The actions with their weights."""
KEYS = ("Tab", "Tab", "Shift+Tab", "Enter", "Escape", "Escape", "ArrowDown", "ArrowUp", "Space", "PageDown", "Home")


class Monkey:
    """Acts on a page of the app at `url`, without waiting for anything, and records what it does and sees.

    Attributes:
        actions: what was done, as JSON values; "at" is the time since the first, in seconds.
        presses: the presses of buttons that train.
        launches: digest and time of each launch seen in the store, with the spec.
    """

    def __init__(self, page: Page, url: str, store: Store, seed: int) -> None:
        """Install the reporter in `page`, which must not have been used."""
        self.page, self.url, self.store, self.random = page, url, store, random.Random(seed)
        self.actions: list[Action] = []
        self.presses: list[Press] = []
        self.launches: dict[tuple[str, float], RunSpec] = {}
        self._started = time.monotonic()
        page.add_init_script(path=SCRIPT)
        page.on("console", self._read_report)
        page.on("popup", lambda other: other.close())
        page.goto(url + ADDRESSES[0])

    @property
    def seconds(self) -> float:
        """The time since it began."""
        return time.monotonic() - self._started

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

    def faults(self) -> list[str]:
        """What was trained although it was not shown, or shown and not trained; see `monkey_oracle`."""
        return faults(self.pressed(), self.launches)

    def pressed(self) -> list[Press]:
        """The presses, with what is known now of each."""
        return [replace(press, is_left=self._is_left(press)) for press in self.presses]

    def _is_left(self, press: Press) -> bool:
        """Whether the document may have been left before the press was sent."""
        following = self.actions[press.number - 1 : press.number + 4]
        return any(action["do"] in ("back", "forward", "reload", "open") for action in following)

    def _plan(self, do: str) -> Action | None:
        """An action that is possible now; None if there is none of this name."""
        if do == "type":
            target = self._target("field")
            return target and target | self._typing(target["key"], {"": 5, "Enter": 2, "Tab": 2, "Control+Enter": 3})
        if do == "enter":
            target = self._target("field", lambda key: key.startswith(ALL_VARIANTS))
            return target and target | self._typing(target["key"], {"Control+Enter": 1, "train": 1})
        if do in ("slide", "area"):
            target = self._target(do)
            return target and target | {"do": "drag", **{end: round(self.random.random(), 2) for end in _ENDS}}
        plans: dict[str, Callable[[], Action | None]] = {
            "train": lambda: self._target("button", lambda key: key == "train" or key.startswith("continue-")),
            "leave": lambda: self._target("button", lambda key: key in ("done", "remove")),
            "choose": lambda: self._target("option") or self._target("button", lambda key: key.startswith("field-")),
            "click": lambda: self._target("button"),
            "double": lambda: self._target("button"),
            "page": self._page,
            "key": lambda: {"keys": self.random.choice(KEYS)},
            "open": lambda: {"address": self.random.choice(ADDRESSES)},
        }
        plan = plans.get(do, dict)()
        return plan if plan is None else {**plan, "do": do}

    def _page(self) -> Action | None:
        """The link to a page: to Compare as often as to all others."""
        links = self._controls("page")
        compare = [link for link in links if link["label"].endswith(PAGES[0].title)]
        chosen = compare if compare and self.random.random() < 0.5 else links
        return self.random.choice(chosen) if chosen else None

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
            "back": lambda: self._evaluate("() => history.back()"),
            "forward": lambda: self._evaluate("() => history.forward()"),
            "reload": lambda: self._evaluate("() => location.reload()"),
            "open": lambda: self._evaluate("url => { location.href = url }", self.url + action["address"]),
            "theme": lambda: page.emulate_media(color_scheme="dark" if len(self.actions) % 2 else "light"),
        }
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
        mouse.click(box["x"], box["y"], click_count=2 if action["do"] == "double" else 1)
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
            self.presses.append(Press(shown.pop("press"), shown, len(self.actions), shown.pop("at")))


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
