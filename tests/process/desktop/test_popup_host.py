"""The agent's side of the popup against real child processes that behave well or badly; the window itself is tried under tests/browser."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from agent.desktop.popup import popup as popup_module
from agent.desktop.popup.popup import PopupHost
from agent.domain.errors import LibraryMissing, PopupFailed, WebViewMissing
from agent.inference.engine.worker_slot import FamilyMemory
from agent.infrastructure.core.memory_guard import Guarded, MemoryGuard, ProcessKind
from agent.infrastructure.core.program_settings import MemorySettings
from agent.infrastructure.core.settings import Corner

# Notes each request in a file; `MODE` (its first word) says how it behaves.
CHILD = """
import json, pathlib, sys
mode, log = sys.argv[1], pathlib.Path(sys.argv[2])
for line in sys.stdin:
    request = json.loads(line)
    with log.open("a") as file:
        print(request["do"], request.get("url"), file=file)
    if mode == "mute":
        continue
    if mode == "dies":
        sys.exit(3)
    if mode == "dies once" and not log.with_suffix(".died").exists():
        log.with_suffix(".died").touch()
        sys.exit(3)
    if mode == "grows":
        grown = b"x" * 100_000_000
    answers = [{"ok": mode != "refuses"}]
    if mode == "closed by user" and request["do"] == "show":
        answers.append({"notice": "hidden"})
    if mode == "dialog" and request["do"] == "choose_folder":
        answers.append({"notice": "folder", "path": "/photos"})
    for answer in answers:
        print(json.dumps(answer), flush=True)
"""


@pytest.fixture(autouse=True)
def a_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(popup_module, "display_available", lambda: True)


class Setting:
    """A host whose child behaves in one way, with what the child was asked."""

    def __init__(self, folder: Path, mode: str, keep_warm_s: float = 300) -> None:
        self.log = folder / "log"
        self.codes = 0
        self.hidden = asyncio.Event()
        command = [sys.executable, "-c", CHILD, mode, str(self.log)]
        self.host = PopupHost(self.url, keep_warm_s=keep_warm_s, hidden=self.hidden.set, command=command)

    async def url(self) -> str:
        self.codes += 1
        return f"http://127.0.0.1:1/?code={self.codes}"

    @property
    def asked(self) -> list[str]:
        return self.log.read_text(encoding="utf-8").splitlines()


async def gone(host: PopupHost) -> None:
    async with asyncio.timeout(60):
        while host.alive:  # noqa: ASYNC110  # nothing tells when
            await asyncio.sleep(0.02)


async def test_a_code_is_spent_only_when_the_page_is_loaded(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "well")
    for _ in range(2):
        await setting.host.show(Corner.BOTTOM_RIGHT)
        assert setting.host.visible
        await setting.host.hide()
    await setting.host.close()

    assert setting.asked == ["show http://127.0.0.1:1/?code=1", "hide None", "show None", "hide None"]
    assert not setting.host.alive


async def test_shows_at_the_same_time_start_one_process(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "well")
    await asyncio.gather(*(setting.host.show(Corner.BOTTOM_RIGHT) for _ in range(5)))
    await setting.host.close()

    assert setting.codes == 1
    assert len(setting.asked) == 5


async def test_hiding_what_never_was_shown_starts_nothing(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "well")
    await setting.host.hide()
    await setting.host.close()

    assert (setting.host.alive, setting.host.pid, setting.log.exists()) == (False, None, False)


async def test_an_idle_process_is_let_go_but_not_one_that_is_shown(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "well", keep_warm_s=0.1)
    await setting.host.show(Corner.BOTTOM_RIGHT)
    await setting.host.hide()
    await setting.host.show(Corner.BOTTOM_RIGHT)
    await asyncio.sleep(0.4)
    assert setting.host.alive

    await setting.host.hide()
    await gone(setting.host)
    await setting.host.close()


async def test_one_that_grows_too_large_is_replaced_once_it_is_hidden(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "grows")
    guarded = Guarded(ProcessKind.POPUP, lambda: setting.host.pid, FamilyMemory(), setting.host.renew)
    guard = MemoryGuard(lambda: MemorySettings(popup_mb=80), lambda: 0.0, [guarded])
    await setting.host.show(Corner.BOTTOM_RIGHT)
    first = setting.host.pid
    await guard.look()
    assert guard.warning.value is not None and setting.host.visible and setting.host.pid == first
    await setting.host.hide()
    await guard.look()
    assert not setting.host.alive
    await setting.host.show(Corner.BOTTOM_RIGHT)
    await setting.host.close()

    assert setting.codes == 2


async def test_windows_for_a_region_that_were_loaded_are_loaded_again(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "well")
    setting.host.keep = True
    await setting.host.warm_picker()
    first = setting.host.pid
    assert await setting.host.renew() and setting.host.alive and setting.host.pid != first
    await setting.host.close()

    assert [line.split()[0] for line in setting.asked] == ["warm_picker", "warm_picker"]


async def test_a_process_that_dies_on_the_way_is_replaced_in_the_same_call(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "dies once")
    await setting.host.show(Corner.BOTTOM_RIGHT)
    await setting.host.close()

    assert setting.asked == ["show http://127.0.0.1:1/?code=1", "show http://127.0.0.1:1/?code=2"]


async def test_a_killed_process_is_started_anew_with_a_new_code(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "well")
    await setting.host.show(Corner.BOTTOM_RIGHT)
    assert setting.host.pid is not None
    os.kill(setting.host.pid, 9)
    await gone(setting.host)
    assert not setting.host.visible
    await setting.host.show(Corner.BOTTOM_RIGHT)
    await setting.host.close()

    assert setting.codes == 2


async def test_a_process_that_got_no_address_is_let_go_too(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "well")

    async def refuse() -> str:
        raise ConnectionError

    host = PopupHost(refuse, keep_warm_s=0, command=[sys.executable, "-c", CHILD, "well", str(setting.log)])
    with pytest.raises(ConnectionError):
        await host.show(Corner.BOTTOM_RIGHT)
    await gone(host)
    await host.close()


@pytest.mark.parametrize("mode", ["dies", "refuses", "mute"])
async def test_after_two_tries_it_gives_up_and_leaves_no_process(tmp_path: Path, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(popup_module, "_START_S", 0.5)
    setting = Setting(tmp_path, mode)
    with pytest.raises(PopupFailed):
        await setting.host.show(Corner.BOTTOM_RIGHT)

    assert setting.codes == 2
    assert not setting.host.alive


async def test_a_command_that_can_not_start_is_a_failure(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "well")
    host = PopupHost(setting.url, keep_warm_s=1, command=[str(tmp_path / "nothing")])
    with pytest.raises(PopupFailed):
        await host.show(Corner.BOTTOM_RIGHT)


async def test_closed_by_the_user_it_is_known_to_be_hidden(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "closed by user")
    await setting.host.show(Corner.BOTTOM_RIGHT)
    await asyncio.wait_for(setting.hidden.wait(), 10)

    assert (setting.host.alive, setting.host.visible) == (True, False)
    await setting.host.close()


async def test_the_chosen_folder_comes_back(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "dialog")
    assert await setting.host.choose_folder("Choose", "en") == "/photos"

    assert setting.codes == 0
    await setting.host.close()


async def test_the_popup_works_while_the_dialog_is_open_and_its_end_dismisses_the_dialog(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "well")
    choosing = asyncio.create_task(setting.host.choose_folder("Choose", "en"))
    await asyncio.sleep(0)
    await setting.host.show(Corner.BOTTOM_RIGHT)
    await setting.host.hide()
    assert not choosing.done()
    await setting.host.close()

    assert await asyncio.wait_for(choosing, 10) is None


async def test_a_killed_process_dismisses_the_dialog(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "well")
    choosing = asyncio.create_task(setting.host.choose_folder("Choose", "en"))
    await asyncio.sleep(0)
    await setting.host.show(Corner.BOTTOM_RIGHT)
    assert setting.host.pid is not None
    os.kill(setting.host.pid, 9)

    assert await asyncio.wait_for(choosing, 10) is None
    await setting.host.close()


async def test_an_open_dialog_keeps_the_process(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "well", keep_warm_s=0.05)
    choosing = asyncio.create_task(setting.host.choose_folder("Choose", "en"))
    await asyncio.sleep(0)
    await setting.host.show(Corner.BOTTOM_RIGHT)
    await setting.host.hide()
    await asyncio.sleep(0.3)

    assert setting.host.alive
    await setting.host.close()
    await choosing


async def test_a_dialog_that_is_refused_is_a_failure(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "refuses")
    with pytest.raises(PopupFailed):
        await setting.host.choose_folder("Choose", "en")
    await setting.host.close()


async def test_the_picker_is_loaded_once_and_keeps_the_process_while_somebody_chooses(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "well", keep_warm_s=0.05)
    await setting.host.warm_picker()
    await setting.host.warm_picker()
    await setting.host.picker({"do": "fill_picker", "panes": []})
    pid = setting.host.pid
    await asyncio.sleep(0.2)  # longer than it is kept idle
    assert setting.host.alive and setting.host.pid == pid
    await setting.host.picker({"do": "conceal_picker"})
    await gone(setting.host)
    assert [each.split()[0] for each in setting.asked] == ["warm_picker", "fill_picker", "conceal_picker"] and setting.codes == 1
    await setting.host.close()


async def test_a_picker_that_is_gone_or_refuses_says_so(tmp_path: Path) -> None:
    setting = Setting(tmp_path, "refuses")
    with pytest.raises(PopupFailed):
        await setting.host.warm_picker()
    with pytest.raises(PopupFailed):
        await setting.host.picker({"do": "reveal_picker"})
    await setting.host.close()


async def test_a_library_that_the_web_engine_lacks_is_named(tmp_path: Path) -> None:
    """The window's own process, with a web engine that can't be loaded."""
    (tmp_path / "PySide6").mkdir()
    (tmp_path / "PySide6" / "__init__.py").touch()
    lacks = "libnss3.so: cannot open shared object file: No such file or directory"
    (tmp_path / "PySide6" / "QtWebEngineWidgets.py").write_text(f"raise ImportError({lacks!r})", encoding="utf-8")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from agent.desktop.popup.popup_window import main; sys.exit(main())"

    async def url() -> str:
        return "http://127.0.0.1:1/"

    host = PopupHost(url, keep_warm_s=300, command=[sys.executable, "-c", program])
    with pytest.raises(LibraryMissing) as raised:
        await host.show(Corner.BOTTOM_RIGHT)
    assert raised.value.params == {"library": "libnss3.so"}


async def test_a_windows_without_webview2_is_told_so(tmp_path: Path) -> None:
    """The window's own process, as if on a Windows where pywebview finds Internet Explorer alone."""
    program = (
        "import sys, types; from agent.desktop.popup import popup_window; sys.platform = 'win32'; popup_window.prepare_scaling = lambda: "
        "None;"
        "sys.modules['webview.platforms.winforms'] = types.SimpleNamespace(renderer='mshtml'); sys.exit(popup_window.main())"
    )

    async def url() -> str:
        return "http://127.0.0.1:1/"

    host = PopupHost(url, keep_warm_s=300, command=[sys.executable, "-c", program])
    with pytest.raises(WebViewMissing):
        await host.show(Corner.BOTTOM_RIGHT)
