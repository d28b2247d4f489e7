"""What the demo of a team server says when its server ends before the user wants it to."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts import serve_demo
from scripts.demo import TEXTS


@pytest.mark.parametrize(("code", "said"), [(0, False), (3, True)])
def test_a_server_that_ends_by_itself_is_told(
    code: int, said: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextlib.contextmanager
    def server(_: Path) -> Iterator[tuple[object, serve_demo.ServerAddresses]]:
        yield SimpleNamespace(wait=lambda: code), serve_demo.ServerAddresses("https://127.0.0.1:1", "AA", "https://127.0.0.1:1/#x")

    monkeypatch.setattr(serve_demo, "fetch", lambda: (tmp_path, None))
    monkeypatch.setattr(serve_demo, "new_home", lambda *_: (None, SimpleNamespace(add_folder=lambda _: None)))
    monkeypatch.setattr(serve_demo, "drop", lambda *_: None)
    monkeypatch.setattr(serve_demo, "server", server)
    assert serve_demo.demo(tmp_path, ends=False) == int(said)
    assert (TEXTS("demo.serve.ended", code=code) in capsys.readouterr().out) is said


def test_what_keeps_the_server_from_starting_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = "import sys; sys.exit('The port is taken.')"
    monkeypatch.setattr(serve_demo, "own_command", lambda *_: (sys.executable, "-c", ends))
    with pytest.raises(SystemExit, match="The port is taken"), serve_demo.server(tmp_path):
        pass
