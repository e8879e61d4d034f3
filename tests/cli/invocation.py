"""Commands called in the test's process."""

from click.testing import CliRunner, Result

from bnlab.cli import commands


def invoke(*arguments: str) -> Result:
    result = CliRunner().invoke(commands.main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result
