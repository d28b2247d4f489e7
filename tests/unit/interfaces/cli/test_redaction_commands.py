"""What `redact` says of what it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.in_process_agent import FakeAnalyser
    from tests.unit.interfaces.cli.conftest import CommandLine, FakeAgent


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_where_no_photo_and_no_video_is_that_is_said_and_is_no_success(
    cli: CommandLine, analyser: FakeAnalyser, tmp_path: Path, more: tuple[str, ...]
) -> None:
    folder = tmp_path / "mistyped"
    folder.mkdir()
    (folder / "notes.txt").write_text("no photo")
    said = cli("redact", str(folder), "-o", str(tmp_path / "out"), *more)
    assert said.code == 1 and said.out == ""
    assert "No photos or videos were found there" in said.err and "0 copies" not in said.err


class Killed(httpx.SyncByteStream):
    """An answer that breaks off after its first line."""

    def __init__(self, first: bytes) -> None:
        self._first = first

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        raise httpx.RemoteProtocolError("peer closed connection")


@pytest.mark.parametrize(
    ("first", "more", "said"),
    [
        (b'{"total": 9}\n', (), "makes them after its next start"),
        (b'{"total": 9}\n', ("--restorable", "--passphrase"), "repeat this command"),
        (b'{"total": 9}\n', ("--dry-run",), None),
        (b"", (), None),
    ],
    ids=["noted", "with a passphrase", "dry run", "before it was noted"],
)
def test_when_the_agent_is_killed_it_is_said_what_becomes_of_the_copies(
    cli: CommandLine,
    running_agent: FakeAgent,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    first: bytes,
    more: tuple[str, ...],
    said: str | None,
) -> None:
    monkeypatch.setattr("agent.features.redaction.commands.ask", lambda *_, **__: "a long enough passphrase of ours 7")
    (tmp_path / "a.jpg").write_bytes(b"")
    running_agent.answers["/api/redact"] = httpx.Response(200, stream=Killed(first))
    came = cli("redact", str(tmp_path / "a.jpg"), "-o", str(tmp_path / "out"), *more)
    assert came.code == 1 and "[agent.unreachable]" in came.err
    assert (said is None) == ("ai-popup open covers" not in came.err)
    assert said is None or said in came.err
