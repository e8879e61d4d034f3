"""What tests ask about processes that may end meanwhile."""

import subprocess
import sys

import psutil
import pytest

from tests.waiting import wait_until
from tests.workers import has_ended, kill_tree, worker_processes


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no zombies")
def test_a_zombie_has_ended_and_is_no_worker() -> None:
    with subprocess.Popen([sys.executable, "-c", "pass", "multiprocessing"]) as process:
        zombie = psutil.Process(process.pid)
        wait_until(lambda: zombie.status() == psutil.STATUS_ZOMBIE, 60)
        assert has_ended(zombie)
        assert zombie not in worker_processes()


def test_what_a_process_has_started_is_killed_with_it() -> None:
    program = "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        kill_tree(process.pid)
        wait_until(lambda: has_ended(child), 5)
    assert process.returncode != 0
    kill_tree(process.pid)  # it has ended
