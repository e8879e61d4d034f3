"""A monkey: random actions on all pages, and what each press of Train should have trained by what the page showed."""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import ConsoleMessage, Error, Keyboard, Page

from bnlab.runs.store import Store
from bnlab.specs.comparison import Comparison
from bnlab.specs.diff import REGISTRIES, format_value
from bnlab.specs.presets import PRESETS
from bnlab.specs.run_spec import RunSpec
from bnlab.specs.validation import SpecError, revise_spec
from bnlab.ui.compare.form import PROPERTIES, field_value, parse_integer
from bnlab.ui.navigation import PAGES
from bnlab.ui.state import PageState, state_from_url

SCRIPT = Path(__file__).with_suffix(".js")
WIDTH, HEIGHT = 1100, 800
MAX_EXAMPLES = 4_000
"""Runs that would see more training examples than this are stopped, so that the worker gets on."""
NOT_PRESSED = ("run-", "go-on-")
"""How the keys of buttons begin that start experiments of dozens of runs, which would keep the worker busy."""
NOT_CHANGED = ("dataset",)
"""Fields whose values would be downloaded."""

_ENDS = ("x", "y", "to_x", "to_y")
"""Where a drag begins and ends, as fractions of the control's width and height."""
TRAIN = ("train", "shortcut")
HANDLED_SECONDS = 5.0
"""Within which a press is handled on a busy machine. Streamlit merges a value that is entered before that into the
request of the press, and the server cannot tell that it is newer."""
CLOCK_SECONDS = 0.2
"""How much later than the launch a report of its press may arrive."""

Action = dict[str, Any]
Shown = dict[str, Any]

VALUES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "epochs": (("1", "2", "3"), ("0", "-1", "2.5", "", "1e9")),
    "train_examples": (("320", "64", "100", "640"), ("0", "-5", "70000", "1.5")),
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
    "train": 9,
    "shortcut": 8,
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


@dataclass(frozen=True)
class Press:
    """A press of a button that trains, or an "edit" soon after one, and what the page showed at that moment.

    `number` counts the actions until then; `time` is in seconds since the epoch, as the times of runs.
    """

    button: str
    shown: Shown
    number: int
    time: float

    @cached_property
    def specs(self) -> set[RunSpec]:
        """The specs that the press may train."""
        return set(chain.from_iterable(map(_specs, shown_comparisons(self.shown))))

    @property
    def required(self) -> set[RunSpec]:
        """The specs that it must have trained: none if it is uncertain that the press arrived, or what was shown."""
        is_certain = self.shown["train"] == "enabled" and not self.shown["dialog"] and not self.shown["pending"]
        comparisons = shown_comparisons(self.shown)
        return set(_specs(comparisons[0])) if is_certain and len(comparisons) == 1 and self.button in TRAIN else set()


class Monkey:
    """Acts on a page of the app at `url`, without waiting for anything, and records what it does and sees.

    Attributes:
        actions: what was done, as JSON values that `perform` accepts; "at" is the time since the first, in seconds.
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
        """A sentence for each launch that no press explains, and for each press that did not train what was shown."""
        launched = set(self.launches.values())
        unexplained = [
            f"at {seconds:.1f}: trained {_text(spec)}, which was not shown when a button was pressed"
            for (_, seconds), spec in self.launches.items()
            if not any(self._explains(press, spec, seconds) for press in self.presses)
        ]
        missing = [
            f"at {press.time:.1f}, after {press.number} actions: {_text(spec)} was shown, but not trained"
            for press in self.presses
            if not self._is_left(press) and not self._is_edited_after(press)
            for spec in press.required - launched
        ]
        return unexplained + missing

    def _is_edited_after(self, press: Press) -> bool:
        """Whether a value was entered so soon after the press that Streamlit may send both together."""
        return any(p.button == "edit" and 0 <= p.time - press.time < HANDLED_SECONDS for p in self.presses)

    def _explains(self, press: Press, spec: RunSpec, seconds: float) -> bool:
        """Whether the launch is what the press showed, or what was entered before the press was handled."""
        is_before = press.time <= seconds + CLOCK_SECONDS
        if press.button == "edit" and seconds - press.time > HANDLED_SECONDS:
            return False
        return is_before and (press.button == "runs-continue" or spec in press.specs)

    def _is_left(self, press: Press) -> bool:
        """Whether the document may have been left before the press was sent."""
        following = self.actions[press.number - 1 : press.number + 4]
        return any(action["do"] in ("back", "forward", "reload", "open") for action in following)

    def _plan(self, do: str) -> Action | None:
        """An action that is possible now; None if there is none of this name."""
        if do == "type":
            target = self._target("field")
            return target and target | self._typing(target["key"])
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

    def _typing(self, key: str) -> Action:
        field = next((name for name in VALUES if name == _field(key)), "")
        valid, invalid = VALUES[field]
        text = self.random.choice(valid if self.random.random() < 0.8 else invalid)
        end = self.random.choices(["", "Enter", "Tab", "Control+Enter"], [5, 2, 2, 3])[0]
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
            for key in ("Control+a", "Delete", *action["text"], *filter(None, [action["end"]])):
                _press(keyboard, key)

    def _read_report(self, message: ConsoleMessage) -> None:
        kind, _, text = message.text.partition(" ")
        if kind == "monkey":
            shown = json.loads(text)
            self.presses.append(Press(shown.pop("press"), shown, len(self.actions), time.time()))


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


def _specs(comparison: Comparison) -> list[RunSpec]:
    return [spec for specs in comparison.specs().values() for spec in specs]


def _text(spec: RunSpec) -> str:
    return str(spec.model_dump(mode="json", exclude_defaults=True))


def shown_comparisons(shown: Shown) -> list[Comparison]:
    """The comparisons that the page may be said to show: none if it shows a value that is refused.

    More than one only if a button was pressed whose effect is not shown yet, or if a field and the address differ
    although nothing was entered in the field.
    """
    state = state_from_url(parse_qs(urlsplit(shown["address"]).query, keep_blank_values=True))
    found: dict[Comparison, None] = {}
    for comparison in _with_pending(state, shown["pending"]):
        edited = {key: field for key, field in shown["fields"].items() if field["edited"]}
        try:
            candidates = [
                _with_fields(comparison, fields, is_dialog=shown["dialog"]) for fields in (shown["fields"], edited)
            ]
        except SpecError:
            continue
        found |= dict.fromkeys(candidates)
    return list(found)


def _with_pending(state: PageState, keys: Sequence[str]) -> Iterator[Comparison]:
    """The comparison as it is, and after each of the buttons that were pressed."""
    comparison = state.comparison
    yield comparison
    for key in keys:
        kind, _, rest = key.partition("-")
        if kind == "show":
            comparison = PRESETS[rest].comparison
        elif kind == "add":
            preset, _, index = rest.rpartition("-")
            variant = PRESETS[preset].variants[int(index)]
            common = {f: {getattr(v.spec, f) for v in comparison.variants} for f in ("epochs", "train_examples")}
            changes = {field: values.pop() for field, values in common.items() if len(values) == 1}
            try:
                comparison = comparison.with_variant(replace(variant, spec=revise_spec(variant.spec, changes)))
            except SpecError:
                continue
        yield comparison


def _with_fields(comparison: Comparison, fields: Mapping[str, Mapping[str, Any]], *, is_dialog: bool) -> Comparison:
    """The comparison with the values in the fields of the dialog if it is open, else with those of the toolbar."""
    for key, field in fields.items():
        text = field["text"]
        if is_dialog and key.startswith(("field-", "name-")):
            _, index, *name = key.split("-", 2)
            if int(index) < len(comparison.variants):
                label = comparison.labels[int(index)]
                if name:
                    changes = {name[0]: _value(name[0], text)}
                    comparison = comparison.with_changes(changes, label)
                else:
                    comparison = comparison.with_label(label, text)
        elif not is_dialog and key.startswith("all-") and (text or not field["mixed"]):
            name_ = key.removeprefix("all-")
            comparison = comparison.with_changes({name_: _value(name_, text)})
        elif not is_dialog and key == "seeds":
            comparison = comparison.with_seeds(parse_integer(float(text or 0)))  # an empty one is sent as 0
    return comparison


def _value(name: str, text: Any) -> Any:
    """The value of a control of the field `name` that shows `text`."""
    if name in REGISTRIES:
        return next((value for value in REGISTRIES[name] if format_value(name, value) == text), text)
    if isinstance(text, bool):
        return text
    options = PROPERTIES[name].get("anyOf", [PROPERTIES[name]])
    if any(option.get("type") == "integer" for option in options):
        return field_value(name, float(text) if text else None)
    return field_value(name, text)
