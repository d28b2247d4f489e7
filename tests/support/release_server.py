"""A publisher of releases on this machine: it signs manifests, serves them, and breaks off where a test wants it to."""

import contextlib
import hashlib
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

from agent.features.updates.manifest import FileEntry
from agent.features.updates.updater import this_platform
from agent.infrastructure.core.package_info import Build, Channel, PackageKind
from scripts.update_manifest import manifest_of, public_key, signed

KEY = bytes(range(32))


class Publisher:
    """Serves `pages` by path; `asked` are the paths and ranges that were asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.breaks: list[int] = []  # of the next answers: so many bytes come, then the connection ends
        self.elsewhere: dict[str, str] = {}  # redirects
        self.ranges = True
        self.address = ""

    def build(self, kind: PackageKind = PackageKind.APPIMAGE, channel: Channel = Channel.STABLE, **facts: object) -> Build:
        facts = {"update_address": self.address, "update_key": public_key(KEY), "loopback": True, **facts}
        return Build.model_validate({"kind": kind, "channel": channel, **facts})

    def entry(
        self, content: bytes, name: str = "AI-Popup.AppImage", kind: PackageKind = PackageKind.APPIMAGE, **facts: object
    ) -> FileEntry:
        """Publish a file; `facts` are what is said wrongly of it."""
        self.pages[f"/{name}"] = content
        true = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        return FileEntry.model_validate(
            {"kind": kind.value, "platform": this_platform(), "address": f"{self.address}/{name}", **true, **facts}
        )

    def announce(
        self,
        version: str,
        *files: FileEntry,
        channel: Literal["stable", "beta"] = "stable",
        key: bytes = KEY,
        published: datetime | None = None,
        days: int = 30,
        news: Mapping[str, str] | None = None,
    ) -> bytes:
        """Publish a manifest; gives the envelope, to be published again or cut short."""
        published = published or datetime.now(UTC)
        news = dict(news or {"en": "Small things.", "zh-CN": "一些小改进。"})
        manifest = manifest_of(version, channel, files, news, published=published, expires=published + timedelta(days=days))
        self.pages[f"/{channel}.json"] = envelope = signed(manifest, key)
        return envelope


@contextlib.contextmanager
def publisher() -> Iterator[Publisher]:
    """Serving while inside."""
    served = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("range")
            served.asked.append((self.path, wanted))
            if self.path in served.elsewhere:
                self.send_response(302)
                self.send_header("location", served.elsewhere[self.path])
                self.end_headers()
                return
            content = served.pages.get(self.path)
            if content is None:
                self.send_error(404)
                return
            first = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and served.ranges else 0
            self.send_response(206 if first else 200)
            if first:
                self.send_header("content-range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            self.send_header("content-length", str(len(content) - first))
            self.end_headers()
            rest = content[first:]
            self.wfile.write(rest[: served.breaks.pop(0)] if served.breaks else rest)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
