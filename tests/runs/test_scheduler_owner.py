"""Owner names, and whether their process has ended."""

import os
import socket
import subprocess
import sys

import pytest

from bnlab.runs.scheduler import has_owner_ended, new_owner


def test_owner_names_are_unique() -> None:
    assert new_owner() != new_owner()


def test_this_process_has_not_ended() -> None:
    assert not has_owner_ended(new_owner())


def test_ended_process_is_recognized() -> None:
    program = "import sys\nfrom bnlab.runs.scheduler import new_owner\nprint(new_owner(), flush=True)\nsys.stdin.read()"
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
        "{host}:not-a-number:1.00:abcd",
        "elsewhere:{process}:1.00:abcd",
        "else:where:{process}:1.00:abcd",
    ],
)
def test_unknown_owners_count_as_running(owner: str) -> None:
    assert not has_owner_ended(owner.format(host=socket.gethostname(), process=os.getpid()))


def test_a_host_may_have_colons_in_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "fe80::1")
    owner = new_owner()
    assert owner.startswith("fe80::1:")
    assert not has_owner_ended(owner)
    assert has_owner_ended(owner.replace(f":{os.getpid()}:", ":999999999:"))
