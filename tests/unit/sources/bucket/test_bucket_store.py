"""The bytes of an object are in a file without a name, which the engine may read and not write."""

import os
import sys
from collections.abc import Iterator

import pytest

from agent.sources.bucket import bucket_store
from agent.sources.bucket.bucket_store import filled


@pytest.mark.parametrize("most", [bucket_store.MOST_IN_MEMORY, 2])
def test_the_bytes_are_read_from_the_start(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(bucket_store, "MOST_IN_MEMORY", most)
    descriptor = filled((b"ab", memoryview(b"cd")), 4)
    try:
        assert os.read(descriptor, 9) == b"abcd"
        if sys.platform == "linux":
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.write(descriptor, b"x")
    finally:
        os.close(descriptor)


@pytest.mark.skipif(sys.platform != "linux", reason="open descriptors are counted there")
def test_a_break_leaves_no_descriptor_open() -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise ConnectionError

    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with pytest.raises(ConnectionError):
        filled(broken(), 9)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
