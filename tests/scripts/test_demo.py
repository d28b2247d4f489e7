"""What the demo says where it stays, and where it ends."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING
from unittest.mock import MagicMock

import pytest

from scripts import demo

if TYPE_CHECKING:
    from pathlib import Path

URL = "http://127.0.0.1:1/open?code=once"


@pytest.mark.parametrize("ends", [True, False])
def test_an_address_is_shown_only_if_the_demo_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, ends: bool
) -> None:
    client = MagicMock()
    client.session_url.return_value = URL
    home = (MagicMock(), MagicMock())
    stand_ins = {"fetch": (tmp_path, MagicMock()), "new_home": home, "agent": nullcontext(MagicMock()), "answering": client}
    stand_ins |= {"drop": None, "settled": [], "name_one": None, "images_of": [], "display_available": False, "open_in_browser": False}
    for name, answer in stand_ins.items():
        monkeypatch.setattr(demo, name, MagicMock(return_value=answer))
    assert demo.demo(tmp_path, ends=ends) == 0
    said = capsys.readouterr().out
    assert (URL in said) != ends and client.session_url.called != ends
