"""The bytes of an object are in a file without a name, which the engine may read and not write."""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agent.domain.errors import AgentError, BucketAnswer
from agent.infrastructure.core import anonymous_files
from agent.infrastructure.sources.bucket.bucket import Bucket, BucketAccess
from agent.infrastructure.sources.bucket.bucket_store import BucketStore, filled
from agent.interfaces.web.certificates import Certificates


@pytest.mark.parametrize("most", [anonymous_files.MOST_IN_MEMORY, 2])
def test_the_bytes_are_read_from_the_start(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(anonymous_files, "MOST_IN_MEMORY", most)
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


_HEADERS = (
    b"HTTP/1.1 200 OK",
    b"Last-Modified: Tue, 01 Dec 2026 10:00:00 GMT",
    b'ETag: "x"',
    b"Content-Length: 10",
    b"Transfer-Encoding: chunked",
)


def test_an_endpoint_that_sends_more_than_it_said_fills_no_memory() -> None:
    """By HTTP, the chunks count and not the length, which is what was compared with the largest allowed."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.recv(65_536)
                connection.sendall(b"\r\n".join((*_HEADERS, b"", b"")))
                connection.sendall(b"100000\r\n" + bytes(0x100000) + b"\r\n0\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
        store = BucketStore(Bucket("photos", "bucket", endpoint=endpoint, access=BucketAccess.ANONYMOUS), None, retries=0)
        with pytest.raises(BucketAnswer):
            store.read("a.jpg", most_bytes=1_000, limit_s=60)
        thread.join()


@pytest.mark.parametrize("secure", [True, False])
def test_an_endpoint_by_https_leads_to_no_plain_service(tmp_path: Path, secure: bool) -> None:
    """A redirect is followed: by HTTP it may lead to what only this computer reaches, so such an endpoint needs the host's permission."""
    made = Certificates(tmp_path, lambda: ("localhost",), lambda: datetime.now(UTC))
    made.load()
    asked: list[str] = []

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("location", f"http://127.0.0.1:{inner.server_port}/secret")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    class Inner(Answering):
        def do_GET(self) -> None:
            asked.append("inside")
            self.send_error(404)

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as outer, ThreadingHTTPServer(("127.0.0.1", 0), Inner) as inner:
        if secure:
            outer.socket = made.context.wrap_socket(outer.socket, server_side=True)
        threads = [threading.Thread(target=each.serve_forever) for each in (outer, inner)]
        for thread in threads:
            thread.start()
        endpoint = f"{'https' if secure else 'http'}://localhost:{outer.server_port}"
        bucket = Bucket("photos", "bucket", endpoint=endpoint, access=BucketAccess.ANONYMOUS, certificate=made.authority)
        with pytest.raises(AgentError):
            BucketStore(bucket, None, retries=0).read("a.jpg", most_bytes=1_000, limit_s=60)
        outer.shutdown()
        inner.shutdown()
        for thread in threads:
            thread.join()
    assert asked == (["/bucket/a.jpg"] if secure else ["/bucket/a.jpg", "inside"])
