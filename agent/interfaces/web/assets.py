"""Serves the built pages' own files, compressed where the browser takes it: each file once, and held in memory."""

import asyncio
import gzip
import os
from pathlib import Path
from typing import Final

from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers
from starlette.types import Scope

_KEPT: Final = "private, max-age=31536000, immutable"
_PACKED: Final = (".js", ".css", ".svg")
_LEAST: Final = 1_000
"""bytes; less fits in one packet anyway"""


class Assets(StaticFiles):
    """Files whose names change with their content: a browser may keep them, and their compiled form.

    They are the same for everyone, so that their compressed size tells nothing; answers of the API are not compressed.
    """

    def __init__(self, directory: Path, *, compressed: bool) -> None:
        super().__init__(directory=directory, check_dir=False)
        self._compressed = compressed
        self._packed: dict[str, bytes] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["cache-control"] = _KEPT
        if not self._compressed or not isinstance(answer, FileResponse) or answer.stat_result is None:
            return answer
        file = os.fspath(answer.path)
        if not file.endswith(_PACKED) or answer.stat_result.st_size < _LEAST:
            return answer
        answer.headers["vary"] = "accept-encoding"
        asked = Headers(scope=scope)
        if scope["method"] != "GET" or "range" in asked or not _takes_gzip(asked.get("accept-encoding", "")):
            return answer
        if (packed := self._packed.get(file)) is None:
            packed = self._packed[file] = await asyncio.to_thread(_gzip, file)
        headers = {name: answer.headers[name] for name in ("cache-control", "last-modified", "vary")}
        # Weak: the same content in another form.
        headers |= {"etag": f"W/{answer.headers['etag']}", "content-encoding": "gzip"}
        return Response(packed, media_type=answer.media_type, headers=headers)


def _takes_gzip(accepted: str) -> bool:
    """Whether the header names gzip, and not to refuse it."""
    for each in accepted.lower().split(","):
        name, _, weight = each.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _gzip(path: str) -> bytes:
    return gzip.compress(Path(path).read_bytes(), mtime=0)
