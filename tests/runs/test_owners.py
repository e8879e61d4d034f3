"""Owner names, and whether their process has ended."""

import os
import socket
import subprocess
import sys

import pytest

from bnlab.runs import owners
from bnlab.runs.owners import has_owner_ended, may_share_machine, new_owner


def test_owner_names_are_unique() -> None:
    assert new_owner() != new_owner()


def test_this_process_has_not_ended() -> None:
    assert not has_owner_ended(new_owner())


def test_owners_of_one_boot_may_share_a_machine() -> None:
    assert may_share_machine(new_owner(), new_owner())
    assert may_share_machine("boot/1:2:3.0:a", "boot/9:2:3.0:b"), "another container"
    assert may_share_machine("boot/1:2:3.0:a", "of another version"), "not known"
    assert not may_share_machine("boot/1:2:3.0:a", "other/1:2:3.0:b")


def test_ended_process_is_recognized() -> None:
    program = "import sys\nfrom bnlab.runs.owners import new_owner\nprint(new_owner(), flush=True)\nsys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    owner = process.stdout.readline().strip()
    assert f":{process.pid}:" in owner
    assert not has_owner_ended(owner)
    process.communicate()
    assert has_owner_ended(owner)


def test_reused_process_id_is_recognized() -> None:
    host, pid, start, token = new_owner().rsplit(":", 3)
    assert has_owner_ended(f"{host}:{pid}:{float(start) - 100:.2f}:{token}")


@pytest.mark.parametrize(
    "owner",
    [
        "",
        "unknown",
        ":::",
        "a:b:c:d",
        "{space}:not-a-number:1.00:abcd",
        "elsewhere:999999999:1.00:abcd",
        "else:where:999999999:1.00:abcd",
        "{host}:999999999:1.00:abcd",  # of a container with the same name, or of an earlier version
    ],
)
def test_unknown_owners_count_as_running(owner: str) -> None:
    space = new_owner().rsplit(":", 3)[0]
    assert not has_owner_ended(owner.format(host=socket.gethostname(), space=space))


def test_a_process_of_another_boot_counts_as_running(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = new_owner().replace(f":{os.getpid()}:", ":999999999:")
    assert has_owner_ended(owner)
    monkeypatch.setattr(owners, "_process_space", lambda: "another boot/4026531836")
    assert not has_owner_ended(owner)


def test_where_the_process_space_is_not_known_leases_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "_process_space", lambda: "")
    assert not has_owner_ended(new_owner().replace(f":{os.getpid()}:", ":999999999:"))


def test_a_process_of_another_pid_namespace_counts_as_running() -> None:
    program = "from bnlab.runs.owners import new_owner\nprint(new_owner())"
    command = ["unshare", "--pid", "--fork", sys.executable, "-c", program]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this process may not make a PID namespace")
    owner = ended.stdout.strip()
    assert owner.rsplit(":", 3)[0].split("/")[0] == new_owner().rsplit(":", 3)[0].split("/")[0]
    assert not has_owner_ended(owner)
