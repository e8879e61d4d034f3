"""Controls whose values are part of the page's state, and what makes a button act on the values that its reader sees.

The browser sends a value when its control loses the focus, so a value and the press of a button may reach the server
together, and Streamlit calls the button's callback first or last. A button's callback therefore calls `apply_changes`
before it reads the state. A value that was refused stays in its control, with its error, until it is replaced.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

CONTROLS = "controls"
"""Session key of the controls, by the session keys of their widgets."""
FAULT = "fault"
"""Session key of the error of the last button that was pressed, until the reader does something else."""

PRESSED = "pressed"
"""Session key: whether a button's callback has applied what was entered, in this run of the script."""
OUTDATED_SECONDS = 2.0
"""For so long the browser may send the old value of a control whose value the server has replaced."""

# Ctrl + Enter presses Train but leaves the focus where it is, so that what was typed would not be sent. This listener
# is called before Streamlit's.
_SHORTCUT_SCRIPT = """<script>
(() => {
  if (window.bnlabShortcut) return;
  window.bnlabShortcut = true;
  addEventListener("keydown", (event) => {
    const field = document.activeElement;
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.repeat) return;
    if (!field?.matches("input, textarea")) return;
    field.blur();
    field.focus({ preventScroll: true });
  }, { capture: true });
})();
</script>"""

# Streamlit's own buttons in fields are all called "Open", "Increment" or "Decrement". They are named again when the
# page has changed, at most five times a second, since each update of a chart changes it.
_NAMES_SCRIPT = """<script>
(() => {
  if (window.bnlabNames) return;
  window.bnlabNames = true;
  let timer = 0;
  const name = () => {
    timer = 0;
    for (const field of document.querySelectorAll(':is(.stNumberInput, .stSelectbox) input[aria-label]')) {
      for (const button of field.parentElement.querySelectorAll("button")) {
        button.dataset.action ??= button.ariaLabel;
        button.ariaLabel = `${button.dataset.action}: ${field.ariaLabel}`;
      }
    }
  };
  const changes = new MutationObserver(() => { timer ||= setTimeout(name, 200); });
  changes.observe(document.body, { childList: true, subtree: true });
})();
</script>"""

Change = Callable[..., str]
"""Applies an entered value to the page's state. Returns the error of a value that is refused, else an empty text."""


@dataclass
class _Control:
    """A control: the value in the page's state, the value last applied or refused, and how one is applied."""

    value: Any
    entered: Any
    change: Change
    identifiers: tuple[object, ...]
    fault: str = ""
    replaced: tuple[Any, float] | None = None  # what the server has replaced, and when, in monotonic time

    def is_outdated(self, entered: Any) -> bool:
        """Whether the value may be what the browser still shows, and not what somebody entered."""
        if self.replaced is None:
            return False
        value, at = self.replaced
        return bool(entered == value and time.monotonic() - at < OUTDATED_SECONDS)


def bind(key: str, value: Any, change: Change, *identifiers: object) -> dict[str, Any]:
    """Set a control to `value`, or to what was refused of it; returns the arguments of its widget.

    `change` is called with `identifiers` and the value that was entered.
    """
    control = _controls().get(key)
    if control is None or not control.fault or control.value != value:
        control = _controls()[key] = _Control(value, value, change, identifiers)
    if key not in st.session_state or st.session_state[key] != control.entered:
        # Only then: a value that is set replaces in the browser what has been entered since this script run began.
        if key in st.session_state:
            control.replaced = (st.session_state[key], time.monotonic())
        st.session_state[key] = control.entered
    return {"key": key, "on_change": apply_change, "args": (key,)}


def apply_change(key: str) -> None:
    """Apply the value in the control of `key`, unless a button has done so before. A callback of widgets."""
    control = _controls().get(key)
    if control is not None and key in st.session_state and not control.is_outdated(st.session_state[key]):
        _apply(key, control)


def apply_lone_changes() -> None:
    """Apply the values that may be outdated, at the start of the script, if no button was pressed.

    The browser sends an old value only along with something else. If nothing else was done, somebody has entered it.
    """
    if st.session_state.pop(PRESSED, False):
        return
    for key, control in list(_controls().items()):
        if key in st.session_state and control.is_outdated(st.session_state[key]):
            _apply(key, control)


def _apply(key: str, control: _Control) -> None:
    entered = st.session_state[key]
    if entered == control.entered:
        return
    st.session_state.pop(FAULT, None)
    control.replaced = None
    control.entered = entered
    control.fault = control.change(*control.identifiers, control.entered)


def apply_changes() -> list[str]:
    """Apply what was entered in the page's controls. Returns the errors of values that are refused.

    Every callback of a button that depends on the page's state calls it first.
    """
    st.session_state[PRESSED] = True
    for key in [key for key in _controls() if key in st.session_state]:
        apply_change(key)
    return [control.fault for control in _controls().values() if control.fault]


def fault(key: str) -> str:
    """The error of the value in the control of `key`; empty if it was not refused."""
    control = _controls().get(key)
    return control.fault if control else ""


def forget_controls(*prefixes: str) -> None:
    """Forget the controls whose keys have these prefixes, with what was refused of them."""
    st.session_state.pop(FAULT, None)
    for key in [key for key in _controls() if key.startswith(prefixes)]:
        del _controls()[key]


def install_scripts() -> None:
    """Make Ctrl + Enter send the value in the focused field before it presses Train, and name the buttons in fields."""
    with st.container(key="control-scripts"):
        st.html(_SHORTCUT_SCRIPT + _NAMES_SCRIPT, unsafe_allow_javascript=True)


def _controls() -> dict[str, _Control]:
    controls: dict[str, _Control] = st.session_state.setdefault(CONTROLS, {})
    return controls
