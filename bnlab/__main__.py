"""The entry point of `python -m bnlab`."""

from bnlab.cli.commands import main

main(prog_name="python -m bnlab")
