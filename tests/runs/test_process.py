"""The end of a process that does not end by itself, and its limit of open files."""

import subprocess
import sys
import time

import psutil
import pytest

from bnlab.runs.process import raise_file_limit
from tests.waiting import wait_until
from tests.workers import has_ended

BUSY = """
import subprocess, sys, threading, time
from bnlab.runs.process import exit_after
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
before = {before}
exit_after(0.3, before, 130)
threading.Thread(target=time.sleep, args=(60,)).start()  # the interpreter would wait for it
"""


@pytest.mark.parametrize(
    ("before", "printed"),
    [("lambda: print('released', flush=True)", True), ("lambda: time.sleep(60)", False)],
    ids=["released", "not released"],
)
def test_a_process_ends_with_its_children_whatever_it_does(before: str, printed: bool) -> None:
    began = time.monotonic()
    command = [sys.executable, "-c", BUSY.format(before=before)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        rest = process.stdout.read()
    assert process.returncode == 130
    assert ("released" in rest) == printed
    assert time.monotonic() - began < 10
    wait_until(lambda: has_ended(child), 5)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_the_limit_of_open_files_is_raised_to_the_hard_one() -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[1], 256) if before[1] > 0 else 256, before[1]))
        limit = raise_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == limit
        assert sys.platform == "darwin" or limit == before[1]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
