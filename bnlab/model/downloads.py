"""Datasets from the web, kept where Keras keeps them, so that neither downloads what the other has.

Unlike `keras.datasets`, one process downloads while the others wait, to a temporary file that is checked by its hash
and then renamed; and a file that is damaged is fetched again.
"""

import contextlib
import errno
import gzip
import hashlib
import http.client
import io
import os
import pickle
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import locket
import numpy as np

from bnlab.model.dataset_files import Arrays
from bnlab.specs.datasets import PUBLISHED, Dataset, DatasetError, Download

TIMEOUT_SECONDS = 30
"""Without any data from the server."""
_SHIPPED = next(dataset.title for dataset in PUBLISHED.values() if not dataset.downloads)
_IDX_HEADERS = 8, 16
"""Bytes before the data of an IDX file with labels, and with images."""


class _DamagedError(Exception):
    """A file that is not what was published; `str()` ends a sentence."""


def download_dataset(dataset: Dataset) -> Arrays:
    """x_train, y_train, x_test, y_test, downloaded unless they are on this machine.

    Raises:
        DatasetError: they are not, and could not be downloaded.
    """
    folder = keras_folder() / "datasets"
    contents = [_read(folder / download.name, download) for download in dataset.downloads]
    if None in contents:
        try:
            contents = _fetch_all(folder, dataset.downloads)
        except (OSError, http.client.HTTPException, _DamagedError) as error:
            raise DatasetError(
                f"{dataset.title} is not on this machine and could not be downloaded: {_reason(error, folder)}; "
                f"put it as an .npz file into the folder that BNLAB_DATA names, or choose {_SHIPPED}, which ships with "
                "bnlab."
            ) from error
    parse = _parse_idx if len(contents) == 4 else _parse_batches
    return parse([content for content in contents if content is not None], dataset)


def keras_folder() -> Path:
    """The folder in which Keras keeps what it downloads."""
    folder = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    if os.access(folder, os.W_OK):
        return folder
    return Path("/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir()) / ".keras"  # noqa: S108  (Keras's choice)


def _fetch_all(folder: Path, downloads: Sequence[Download]) -> list[bytes | None]:
    """The content of each file; one process at a time, since the next one finds what this one has downloaded."""
    folder.mkdir(parents=True, exist_ok=True)
    with locket.lock_file(str(folder / "bnlab.lock")):
        return [_read(folder / download.name, download) or _fetch(folder, download) for download in downloads]


def _fetch(folder: Path, download: Download) -> bytes:
    path = folder / download.name
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}.", suffix=".part", delete=False) as file:
        part = Path(file.name)
    try:
        with urllib.request.urlopen(download.url, timeout=TIMEOUT_SECONDS) as answer, part.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(answer, file, 1 << 20)
        content = _read(part, download)
        if content is None:
            host = urlsplit(download.url).hostname
            raise _DamagedError(f"{path.name} came damaged from {host} ({part.stat().st_size:,} bytes)")
        part.chmod(0o644)
        part.replace(path)
        return content
    except urllib.error.HTTPError as error:
        error.close()
        raise
    finally:
        part.unlink(missing_ok=True)


def _read(path: Path, download: Download) -> bytes | None:
    """The content of a file, unpacked; None if it is not there or not as published."""
    try:
        content = path.read_bytes()
        if download.name.endswith(".gz"):
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return None
    return content if hashlib.sha256(content).hexdigest() == download.sha256 else None


def _reason(error: Exception, folder: Path) -> str:
    """What is wrong: the network, the file that came, or the disk."""
    if isinstance(error, urllib.error.HTTPError):
        return f"{urlsplit(error.url or '').hostname} answers {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError | TimeoutError | ConnectionError):
        return "the server cannot be reached, so check the network"
    if isinstance(error, http.client.HTTPException):
        return "the download broke off"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk with {folder} is full"
    if isinstance(error, OSError):
        return f"{error.filename or folder} cannot be written ({error.strerror})"
    return str(error)


def _parse_idx(contents: Sequence[bytes], dataset: Dataset) -> Arrays:
    """Labels and images for training, then for testing, in MNIST's IDX format."""
    arrays = [
        np.frombuffer(content, np.uint8, offset=_IDX_HEADERS[index % 2]) for index, content in enumerate(contents)
    ]
    y_train, x_train, y_test, x_test = arrays
    return x_train.reshape(-1, *dataset.image_shape), y_train, x_test.reshape(-1, *dataset.image_shape), y_test


def _parse_batches(contents: Sequence[bytes], dataset: Dataset) -> Arrays:
    """Pickled batches in an archive, as of CIFAR: images in rows, channels first; `test_batch` is for testing."""
    with tarfile.open(fileobj=io.BytesIO(contents[0])) as archive:
        files = {member.name.rpartition("/")[2]: archive.extractfile(member) for member in archive.getmembers()}
        names = sorted(name for name in files if name.startswith("data_batch_"))
        # Safe, since the archive's hash is known.
        batches = [pickle.loads(file.read(), encoding="bytes") for n in (*names, "test_batch") if (file := files[n])]  # noqa: S301
    height, width, channels = dataset.image_shape
    images = [
        np.asarray(batch[b"data"], np.uint8).reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
        for batch in batches
    ]
    labels = [np.asarray(batch[b"labels"], np.uint8) for batch in batches]
    return np.concatenate(images[:-1]), np.concatenate(labels[:-1]), np.ascontiguousarray(images[-1]), labels[-1]
