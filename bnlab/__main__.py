"""The entry point of `python -m bnlab`."""

import signal

from bnlab.cli.commands import main

signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl + C: what was trained is kept
main(prog_name="python -m bnlab")
