"""Downloads: one at a time, checked, repeated where damaged, and the sentence that says what is wrong."""

import errno
import gzip
import hashlib
import io
import pickle
import socket
import struct
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from bnlab.model.downloads import download_dataset
from bnlab.specs.datasets import PUBLISHED, Dataset, DatasetError, Download
from tests.dataset_files import small_arrays

ARRAYS = small_arrays()
NAMES = ("y_train", "x_train", "y_test", "x_test")


def idx_file(array: np.ndarray) -> bytes:
    """MNIST's format: two zeros, 8 for uint8, the number of axes, their lengths, the values."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


class Server(ThreadingHTTPServer):
    """Answers with `files` by path, slowly; `requested` are the paths in order."""

    def __init__(self) -> None:
        self.files = {f"/{name}.gz": gzip.compress(idx_file(ARRAYS[name])) for name in NAMES}
        self.requested: list[str] = []
        super().__init__(("127.0.0.1", 0), Handler)

    def dataset(self) -> Dataset:
        address = f"http://127.0.0.1:{self.server_port}"
        downloads = tuple(
            Download(f"{address}/{name}.gz", f"small/{name}.gz", hashlib.sha256(idx_file(ARRAYS[name])).hexdigest())
            for name in NAMES
        )
        return Dataset("Small", "For this test.", (6, 5), 60, 25, 3, downloads)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.requested.append(self.path)
        content = self.server.files.get(self.path)
        time.sleep(0.1)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "keras" / "datasets"


def assert_complete(dataset: Dataset) -> None:
    x_train, y_train, x_test, y_test = download_dataset(dataset)
    for name, array in {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}.items():
        np.testing.assert_array_equal(array, ARRAYS[name])


def test_files_are_downloaded_once(server: Server, cache: Path) -> None:
    assert_complete(server.dataset())
    assert_complete(server.dataset())
    assert len(server.requested) == 4
    assert sorted(path.name for path in (cache / "small").iterdir()) == sorted(f"{name}.gz" for name in NAMES)


def test_two_processes_download_once(server: Server, cache: Path) -> None:
    program = (
        "from bnlab.model.downloads import download_dataset\n"
        "from bnlab.specs.datasets import Dataset, Download\n"
        f"print(download_dataset({server.dataset()!r})[0].sum())\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert outputs == [f"{ARRAYS['x_train'].sum()}\n"] * 3
    assert sorted(server.requested) == sorted(server.files)


@pytest.mark.parametrize("content", [b"", b"nonsense", "half", "other"])
def test_a_file_that_cannot_be_read_is_fetched_again(server: Server, cache: Path, content: bytes | str) -> None:
    assert_complete(server.dataset())
    path = cache / "small" / "x_train.gz"
    whole = path.read_bytes()
    replacements = {"half": whole[: len(whole) // 2], "other": gzip.compress(b"something else")}
    path.write_bytes(replacements[content] if isinstance(content, str) else content)
    assert_complete(server.dataset())
    assert server.requested[4:] == ["/x_train.gz"]
    assert path.read_bytes() == whole


def reason_for(dataset: Dataset) -> str:
    with pytest.raises(DatasetError) as raised:
        download_dataset(dataset)
    sentence = str(raised.value)
    assert sentence.startswith("Small is not on this machine and could not be downloaded: ")
    assert sentence.endswith("or choose MNIST, which ships with bnlab.")
    return sentence.removeprefix("Small is not on this machine and could not be downloaded: ").partition("; put it")[0]


def test_a_file_that_comes_damaged_is_not_kept(server: Server, cache: Path) -> None:
    server.files["/y_test.gz"] = server.files["/y_test.gz"][:-9]
    size = len(server.files["/y_test.gz"])
    assert reason_for(server.dataset()) == f"y_test.gz came damaged from 127.0.0.1 ({size} bytes)"
    assert sorted(path.name for path in (cache / "small").iterdir()) == ["x_train.gz", "y_train.gz"]


def test_a_file_that_the_server_does_not_have(server: Server, cache: Path) -> None:
    del server.files["/x_test.gz"]
    assert reason_for(server.dataset()) == "127.0.0.1 answers 404 Not Found"


@pytest.mark.usefixtures("cache")
def test_a_server_that_cannot_be_reached() -> None:
    server = Server()
    server.server_close()
    assert reason_for(server.dataset()) == "the server cannot be reached, so check the network"


def test_a_name_that_cannot_be_resolved(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    assert reason_for(server.dataset()) == "the server cannot be reached, so check the network"


def test_a_full_disk(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", write)
    assert reason_for(server.dataset()) == f"the disk with {cache} is full"
    assert not list((cache / "small").iterdir())


def test_batches_in_an_archive(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CIFAR's format: rows of all red, all green and all blue values."""
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)
    rows = images.transpose(0, 3, 1, 2).reshape(6, -1)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, part in (("data_batch_1", slice(2)), ("data_batch_2", slice(2, 4)), ("test_batch", slice(4, 6))):
            content = pickle.dumps({b"data": rows[part], b"labels": list(range(6))[part]})
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    (published,) = PUBLISHED["cifar10"].downloads
    download = Download(published.url, published.name, hashlib.sha256(buffer.getvalue()).hexdigest())
    path = cache / published.name
    path.parent.mkdir(parents=True)
    path.write_bytes(buffer.getvalue())
    x_train, y_train, x_test, y_test = download_dataset(
        Dataset("CIFAR-10", "For this test.", (32, 32, 3), 4, 2, downloads=(download,))
    )
    np.testing.assert_array_equal(np.concatenate([x_train, x_test]), images)
    assert [*y_train.tolist(), *y_test.tolist()] == list(range(6))
