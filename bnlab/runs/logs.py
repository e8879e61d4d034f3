"""The log: one line per event, as names and values, to standard error.

    time=2026-11-28T15:17:41.082Z level=info logger=bnlab.runs.scheduler event="runs launched" runs=4

Quoted values are JSON strings, so a traceback is one line too. What could be a password is replaced by `***`.
"""

import json
import logging
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

HIDDEN = "***"
_FIELDS = "bnlab_fields"
_PASSWORD_IN_URL = re.compile(r"(?<=://)([^\s:/@]*):[^\s/]*@")
_PLAIN = re.compile(r"[^\s\"=]+")


def set_up_logging(level: str, secrets: Iterable[str] = (), others: Iterable[str] = ()) -> None:
    """Log bnlab's events from `level` on, and let the loggers whose names begin with one of `others` look the same.

    Args:
        level: debug, info, warning or error.
        secrets: texts that are never written.
        others: packages with handlers of their own.
    """
    formatter = LineFormatter(secrets)
    logger = logging.getLogger("bnlab")
    for handler in logger.handlers[:]:
        if isinstance(handler.formatter, LineFormatter):
            logger.removeHandler(handler)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    # SQLAlchemy names a pool's log after its class, and tells of each connection that it replaces.
    logging.getLogger("bnlab.runs.errors").setLevel(max(logger.level, logging.WARNING))
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in set(others):
            for other in logging.getLogger(name).handlers:
                other.setFormatter(formatter)


def log_event(logger: logging.Logger, level: int, event: str, **fields: object) -> None:
    """Log an event, a few words that are always the same, with what differs in `fields`."""
    logger.log(level, event, extra={_FIELDS: fields})


class LineFormatter(logging.Formatter):
    """Formats a record as one line of names and values."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        """`secrets` are never written."""
        super().__init__()
        self._secrets = sorted(filter(None, secrets), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fields: dict[str, object] = {"time": time, "level": record.levelname.lower(), "logger": record.name}
        fields |= {"event": record.getMessage(), **getattr(record, _FIELDS, {})}
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return self._without_secrets(" ".join(f"{name}={_value_text(value)}" for name, value in fields.items()))

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return _PASSWORD_IN_URL.sub(rf"\1:{HIDDEN}@", text)


def _value_text(value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
