"""What the desk says when the desktop opens nothing."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agent.desktop.popup import ui_launcher as desk_module
from agent.desktop.popup.ui_launcher import UiLauncher
from agent.domain.errors import NoDisplay, NothingOpens
from agent.infrastructure.core.settings import PopupSettings

OPENERS = ("open_in_browser", "show_in_folder", "open_image", "open_text")
ASKED: tuple[Callable[[UiLauncher], Awaitable[None]], ...] = (
    lambda desk: desk.open_browser("photos"),
    lambda desk: desk.show_file("/photos/a.jpg"),
    lambda desk: desk.open_file("/photos/a.jpg"),
    lambda desk: desk.edit_file(Path("settings.toml")),
)


@pytest.mark.parametrize(("display", "error"), [(True, NothingOpens), (False, NoDisplay)])
@pytest.mark.parametrize("asked", ASKED)
async def test_a_program_that_is_missing_is_no_missing_display(
    asked: Callable[[UiLauncher], Awaitable[None]], display: bool, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "display_available", lambda: display)
    for opener in OPENERS:
        monkeypatch.setattr(desk_module, opener, lambda *_: False)
    with pytest.raises(error):
        await asked(UiLauncher(lambda page, _: page, PopupSettings()))
