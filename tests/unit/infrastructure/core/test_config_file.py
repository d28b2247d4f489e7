"""The settings file among its layers."""

import asyncio
import os
import stat
from pathlib import Path

import pytest

from agent.domain.errors import (
    NotFound,
    SettingsError,
    SettingsInvalid,
    SettingsNoAccess,
    SettingsUnknownKey,
    SettingsUnreadable,
    SettingsUnwritable,
)
from agent.infrastructure.core import config_watch
from agent.infrastructure.core.config_check import merged, nested, parsed_value, problems
from agent.infrastructure.core.config_copy import SettingsCopy
from agent.infrastructure.core.config_environment import from_environment
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.program_settings import LogSettings
from agent.infrastructure.core.setting_fields import nearest_key, setting_fields
from agent.infrastructure.core.settings import Corner, Settings, root_of


def file(folder: Path, text: str = "", environ: dict[str, str] | None = None, profile: str | None = None) -> SettingsFile:
    path = folder / "settings.toml"
    if text:
        path.write_text(text, encoding="utf-8")
    return SettingsFile(path, environ or {}, profile)


def refused(folder: Path, text: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        file(folder, text).load()
    return caught.value


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert file(tmp_path).load() == Settings()


def test_each_layer_ranks_above_the_one_before(tmp_path: Path) -> None:
    text = "[sources]\nsettle_ms = 300\nrescan_minutes = 7"
    environ = {"AI_POPUP_PROFILE": "dev", "AI_POPUP__SOURCES__RESCAN_MINUTES": "9", "PATH": "x"}
    settings = file(tmp_path, text, environ).load()
    assert settings.logs.level == "debug"  # dev
    assert settings.sources.settle_ms == 300  # the user's over dev's 200
    assert settings.sources.rescan_minutes == 9  # the environment's over both


def test_environment_values_are_toml_or_text() -> None:
    environ = {
        "AI_POPUP__ENGINE__DEVICE": "GPU.1",
        "AI_POPUP__POPUP__ENABLED": "false",
        "AI_POPUP__FOLDERS": '[{path = "~/a"}]',
        "AI_POPUP_X": "1",
    }
    assert from_environment(environ) == {"engine": {"device": "GPU.1"}, "popup": {"enabled": False}, "folders": [{"path": "~/a"}]}


def test_a_text_cannot_smuggle_in_a_second_value() -> None:
    assert parsed_value("1\nother = 2") == "1\nother = 2"


def test_lists_are_replaced_whole() -> None:
    assert merged({"a": {"x": [1], "y": 1}}, {"a": {"x": [2]}}) == {"a": {"x": [2], "y": 1}}


def test_an_unknown_profile_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        file(tmp_path, profile="test").load()
    assert caught.value.params["choices"] == "prod, staging, dev"


@pytest.mark.parametrize(
    ("written", "nearest"),
    [
        ("popup.secnds", "popup.seconds"),
        ("popup.port", "api.port"),
        ("popups.seconds", "popup.seconds"),
        ("folders[0].pth", "folders.path"),
        ("general.x", ""),
        ("quiet", "popup.quiet_from"),
        ("megapixels", "engine.max_megapixels"),
        ("zzz", ""),
    ],
)
def test_the_nearest_name_is_offered(written: str, nearest: str) -> None:
    assert nearest_key(written) == nearest


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("[popup]\nseconds = 1", {"key": "popup.seconds", "reason": "between_whole", "minimum": 2, "maximum": 3600}),
        ("[popup]\nseconds = 2.5", {"key": "popup.seconds", "reason": "between_whole", "minimum": 2, "maximum": 3600}),
        ("[detection]\nmin_score = 2", {"key": "detection.min_score", "reason": "between", "minimum": 0.1, "maximum": 0.99}),
        ("[recognition]\ncertain = 0", {"key": "recognition.certain", "reason": "inside", "minimum": 0, "maximum": 2}),
        ("[recognition]\nenabled = 'ja'", {"key": "recognition.enabled", "reason": "yes_no"}),
        (
            "[popup]\ncorner = 'middle'",
            {"key": "popup.corner", "reason": "one_of", "choices": "bottom-right, bottom-left, top-right, top-left"},
        ),
        ("[logs]\nlevel = 'loud'", {"key": "logs.level", "reason": "one_of", "choices": "debug, info, warning, error"}),
        ("[engine]\ndevice = 'TPU'", {"key": "engine.device", "reason": "like", "choices": "CPU, GPU, NPU, GPU.1, CUDA, AUTO"}),
        ("[[folders]]\nrecursive = true", {"key": "folders[0].path", "reason": "missing"}),
        ("[[folders]]\npath = ''", {"key": "folders[0].path", "reason": "empty"}),
        ("[[folders]]\npath = 'a'\ninclude = '*.jpg'", {"key": "folders[0].include", "reason": "list"}),
        (
            "[[folders]]\npath = 'a'\ninclude = ['" + "x" * 300 + "']",
            {"key": "folders[0].include[0]", "reason": "too_long", "maximum": 200},
        ),
        ("popup = 3", {"key": "popup", "reason": "table"}),
    ],
)
def test_a_wrong_value_says_what_it_has_to_be(tmp_path: Path, text: str, params: dict[str, object]) -> None:
    error = refused(tmp_path, text)
    assert isinstance(error, SettingsInvalid)
    line = 1 if params["reason"] == "missing" else text.count("\n") + 1
    assert error.params == params | {"line": line}


@pytest.mark.parametrize("value", ["\x01 ,<>@", ["\x01 ,<>@"], 7])
def test_every_setting_says_what_it_has_to_be(value: object) -> None:
    unsaid = [
        error.params["key"]
        for key in setting_fields()
        if "[]" not in key
        for error in problems(nested(key.split("."), value))
        if error.params["reason"] == "other"
    ]
    assert unsaid == []


def test_an_unknown_key_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    error = refused(tmp_path, "[popup]\nsecnds = 3")
    assert isinstance(error, SettingsUnknownKey)
    assert error.params == {"key": "popup.secnds", "nearest": "popup.seconds", "line": 2}


def test_the_line_of_a_mistake_is_told(tmp_path: Path) -> None:
    text = "# mine\n[popup]\nenabled = true\nseconds = 1\n"
    assert refused(tmp_path, text).params["line"] == 4
    (problem,) = file(tmp_path, text).problems()
    assert problem.params["line"] == 4


def test_what_the_environment_gets_wrong_names_the_variable_and_no_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        file(tmp_path, "[popup]\nseconds = 9\n", {"AI_POPUP__POPUP__SECONDS": "1"}).load()
    assert "line" not in caught.value.params and caught.value.params["variable"] == "AI_POPUP__POPUP__SECONDS"
    with pytest.raises(SettingsInvalid) as caught:
        file(tmp_path, "", {"AI_POPUP__ALERTS__EMAIL_TO": '["nobody"]'}).load()
    assert caught.value.params["variable"] == "AI_POPUP__ALERTS__EMAIL_TO"


def test_a_file_is_there_when_it_is_to_be_opened(tmp_path: Path) -> None:
    settings = file(tmp_path)
    assert settings.ensure().read_bytes() == b""
    settings.path.write_text("not toml")
    assert settings.ensure().read_text() == "not toml"


def test_a_refusal_quotes_no_value(tmp_path: Path) -> None:
    error = refused(tmp_path, "[[folders]]\npath = '/home/mei/secret'\nrecursive = 'secret'")
    assert "secret" not in str(error)
    assert error.__suppress_context__


@pytest.mark.parametrize(("text", "line"), [("[popup]\nseconds 3", 2), ("a = 1\nb = 2\na = 3", 3), ("x = 'äö", 1)])
def test_what_is_not_toml_is_refused_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    error = refused(tmp_path, text)
    assert isinstance(error, SettingsUnreadable)
    assert error.params == {"line": line}


TOO_LONG, TOO_DEEP = "9" * 5_000, "[" * 3_000


@pytest.mark.parametrize("value", [TOO_LONG, TOO_DEEP])
def test_what_is_too_much_for_the_reader_is_refused_like_what_is_not_toml(tmp_path: Path, value: str) -> None:
    assert isinstance(refused(tmp_path, f"[popup]\nseconds = {value}\n"), SettingsUnreadable)
    environ = {"AI_POPUP__POPUP__SECONDS": value}
    with pytest.raises(SettingsInvalid) as caught:
        SettingsFile(tmp_path / "none.toml", environ).load()
    assert caught.value.params["key"] == "popup.seconds"


def test_a_key_of_thousands_of_parts_is_refused_like_what_is_not_toml(tmp_path: Path) -> None:
    file = SettingsFile(tmp_path / "settings.toml", environ={})
    file.path.write_text("[engine]\nworkers = 1\n" + "a." * 2_000 + "a = 1\n")
    with pytest.raises(SettingsUnreadable):
        file.load()
    assert [each.code for each in file.problems()] == [SettingsUnreadable.code]
    assert file.log_settings() == LogSettings()


@pytest.mark.parametrize("key", ["{deep}", "[{deep}]\na", "a = {{{deep} = 1}}\nb", '"a=b". {deep}'])
def test_a_key_of_more_parts_than_any_setting_has_is_refused_unread(tmp_path: Path, key: str) -> None:
    """The reader's time grows with the square of the parts: 60,000 of them take it minutes."""
    error = refused(tmp_path, "[engine]\nworkers = 1\n" + key.format(deep=" . ".join(["a", '"b.c"', "'d'"] * 20)) + " = 1\n")
    assert (type(error), error.params["line"]) == (SettingsUnreadable, 3)


def test_a_value_of_many_dots_is_read(tmp_path: Path) -> None:
    names = ", ".join([f'"{"a." * 60}"'] * 60)
    settings = file(tmp_path, f"# {'a.' * 60}\n[[folders]]\npath = '/photos/{'a.' * 60}'\nredact_keep = [{names}]\n")
    assert settings.load().folders[0].path == f"/photos/{'a.' * 60}"


def test_a_wrong_profile_is_named_whatever_stands_in_the_file(tmp_path: Path) -> None:
    settings = file(tmp_path, profile="test")
    settings.path.write_bytes(b"\xff")
    with pytest.raises(SettingsInvalid) as caught:
        settings.load()
    assert caught.value.params["key"] == "AI_POPUP_PROFILE"


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    settings = file(tmp_path)
    settings.path.write_bytes("# caf\n# é".encode("latin-1"))
    with pytest.raises(SettingsUnreadable) as caught:
        settings.load()
    assert caught.value.params == {"line": 2}


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    settings = file(tmp_path)
    settings.path.write_text("[popup]\nseconds = 5", encoding="utf-8-sig")
    assert settings.load().popup.seconds == 5


def test_a_file_that_may_not_be_read_is_named_as_such(tmp_path: Path) -> None:
    settings = file(tmp_path)
    settings.path.mkdir()
    with pytest.raises(SettingsNoAccess):
        settings.load()


@pytest.mark.parametrize("path", [r"C:\Users\Anna", r"D:\photos", r"\\nas\photos"])
def test_a_windows_path_in_double_quotes_gets_its_own_remedy(tmp_path: Path, path: str) -> None:
    settings = file(tmp_path, f'[[folders]]\npath = "{path}"\n')
    with pytest.raises(SettingsUnreadable) as refused:
        settings.load()
    assert refused.value.params == {"line": 2, "backslash": 1}
    assert "'C:\\Photos'" in Texts("en").remedy(refused.value) and "'C:\\Photos'" in Texts("zh-CN").remedy(refused.value)


@pytest.mark.parametrize("setting", ["path", 'path = "/photos"\nredact_to'])
def test_a_windows_path_that_double_quotes_changed_is_no_folder(tmp_path: Path, setting: str) -> None:
    settings = file(tmp_path, f'[[folders]]\n{setting} = "C:\\new\\temp"\n')  # a new line and a tab
    with pytest.raises(SettingsInvalid) as refused:
        settings.load()
    assert refused.value.params["reason"] == "backslash" and "'C:\\Photos'" in Texts("en").cause(refused.value)


def test_all_problems_are_listed_at_once(tmp_path: Path) -> None:
    settings = file(tmp_path, "[popup]\nseconds = 0\ncolour = 'red'\n[logs]\nfiles = 0")
    assert [error.params["key"] for error in settings.problems()] == ["popup.seconds", "popup.colour", "logs.files"]
    settings.path.write_text("nonsense")
    assert [error.code for error in settings.problems()] == ["settings.unreadable"]
    settings.path.unlink()
    assert settings.problems() == []


def test_an_invalid_file_keeps_the_snapshot(tmp_path: Path) -> None:
    settings = file(tmp_path, "[popup]\nseconds = 5")
    settings.load()
    settings.path.write_text("[popup]\nseconds = 0")
    with pytest.raises(SettingsInvalid):
        settings.load()
    assert settings.snapshot.popup.seconds == 5


def test_setting_keeps_comments_and_order(tmp_path: Path) -> None:
    settings = file(tmp_path, "# mine\n[popup]\nseconds = 5 # short\n\n[logs]\nfiles = 2\n")
    assert settings.set("popup.seconds", "7").popup.seconds == 7
    settings.set("popup.corner", "top-left")
    assert settings.path.read_text() == '# mine\n[popup]\nseconds = 7 # short\ncorner = "top-left"\n\n[logs]\nfiles = 2\n'
    assert settings.snapshot.popup.corner is Corner.TOP_LEFT


def test_unsetting_goes_back_to_the_default(tmp_path: Path) -> None:
    settings = file(tmp_path, "[popup]\nseconds = 5\n")
    assert settings.unset("popup.seconds").popup.seconds == Settings().popup.seconds
    assert settings.unset("logs.level") == Settings()


@pytest.mark.parametrize(
    ("key", "value"), [("popup.seconds", "0"), ("popup.secnds", "3"), ("popup", "3"), ("nothing", "3"), ("popup.seconds.x", "3")]
)
def test_a_refused_setting_is_not_written(tmp_path: Path, key: str, value: str) -> None:
    settings = file(tmp_path, "[popup]\nseconds = 5\n")
    with pytest.raises(SettingsError):
        settings.set(key, value)
    assert settings.path.read_text() == "[popup]\nseconds = 5\n"


def test_a_wrong_value_is_refused_also_where_the_environment_hides_it(tmp_path: Path) -> None:
    settings = file(tmp_path, environ={"AI_POPUP__POPUP__SECONDS": "9"})
    with pytest.raises(SettingsInvalid):
        settings.set("popup.seconds", "0")
    assert not settings.path.exists()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_the_file_is_the_owner_s_alone_and_a_link_stays_one(tmp_path: Path) -> None:
    elsewhere = tmp_path / "dotfiles.toml"
    elsewhere.touch(0o644)
    settings = file(tmp_path)
    settings.path.symlink_to(elsewhere)
    settings.set("popup.seconds", "5")
    assert settings.path.is_symlink()
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o600
    assert "seconds = 5" in elsewhere.read_text()
    assert not list(tmp_path.glob("*.tmp"))


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = file(tmp_path, "[popup]\nseconds = 5\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsUnwritable):
        settings.set("popup.seconds", "7")
    assert settings.path.read_text() == "[popup]\nseconds = 5\n"
    assert not list(tmp_path.glob("*.tmp"))


def test_a_folder_is_added_once(tmp_path: Path) -> None:
    settings = file(tmp_path, "# mine\n[popup]\nseconds = 5\n")
    settings.add_folder(tmp_path / "a")
    settings.add_folder(tmp_path / "b")
    settings.add_folder(tmp_path / "a")
    assert [folder.path for folder in settings.snapshot.folders] == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert settings.path.read_text().startswith("# mine\n[popup]\nseconds = 5\n")


def test_a_folder_is_added_to_a_list_in_brackets(tmp_path: Path) -> None:
    settings = file(tmp_path, 'folders = [{path = "/x"}]\n')
    assert [folder.path for folder in settings.add_folder(tmp_path).folders] == ["/x", str(tmp_path)]


def test_a_value_is_written_as_the_setting_takes_it(tmp_path: Path) -> None:
    settings = file(tmp_path, "[popup]\nseconds = 5 # mine\n")
    assert settings.put("popup.seconds", 30.0).popup.seconds == 30
    assert settings.put("popup.corner", "top-left").popup.corner is Corner.TOP_LEFT
    assert settings.path.read_text() == '[popup]\nseconds = 30 # mine\ncorner = "top-left"\n'


@pytest.mark.parametrize("key", ["folders", "popup", "popup.secnds", "zzz"])
def test_only_single_settings_are_put(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingsUnknownKey):
        file(tmp_path).put(key, 3)


def test_a_value_is_checked_without_being_written(tmp_path: Path) -> None:
    settings = file(tmp_path)
    assert settings.checked("popup.seconds", 20) == 20
    with pytest.raises(SettingsInvalid):
        settings.checked("popup.seconds", 1)
    assert not settings.path.exists()


def test_what_the_environment_overrides_is_named(tmp_path: Path) -> None:
    environ = {"AI_POPUP__POPUP__SECONDS": "9", "AI_POPUP__FOLDERS": "[]"}
    assert file(tmp_path, environ=environ).overridden() == {
        "popup.seconds": "AI_POPUP__POPUP__SECONDS",
        "folders": "AI_POPUP__FOLDERS",
    }


@pytest.mark.parametrize(
    "text",
    [
        '[popup]\nseconds = 5\n\n# holidays\n[[folders]]\npath = "/a"\n\n[[folders]]\npath = "/b"\n',
        "folders = [{path = '/a'}, {path = '/b'}]\n[popup]\nseconds = 5\n",
    ],
)
def test_a_watched_folder_is_changed_and_removed(tmp_path: Path, text: str) -> None:
    settings = file(tmp_path, text)
    changed = settings.change_folder(root_of("/b"), {"recursive": False, "exclude": ["*.tmp"]}).folders
    assert [(folder.path, folder.recursive) for folder in changed] == [("/a", True), ("/b", False)]
    assert changed[1].exclude == ("*.tmp",)
    assert [folder.path for folder in settings.remove_folder(root_of("/a")).folders] == ["/b"]
    emptied = settings.remove_folder(root_of("/b"))
    assert (emptied.folders, emptied.popup.seconds) == ((), 5)
    assert [folder.path for folder in settings.add_folder(tmp_path).folders] == [str(tmp_path)]
    assert settings.snapshot.popup.seconds == 5


def test_whoever_is_kept_in_safe_copies_is_called_otherwise_and_taken_out_everywhere(tmp_path: Path) -> None:
    text = """# mine
[[folders]]
path = "/a"
redact_keep = ["Mei", "Tom"] # us

[[folders]]
path = "/b"
redact_keep = ["Mei "]
"""
    settings = file(tmp_path, text)
    settings.rename_kept("Mei", "小梅")
    assert [folder.redact_keep for folder in settings.snapshot.folders] == [("小梅", "Tom"), ("小梅",)]
    settings.rename_kept("Tom", "小梅")
    assert [folder.redact_keep for folder in settings.snapshot.folders] == [("小梅",), ("小梅",)]
    settings.rename_kept("小梅", None)
    assert [folder.redact_keep for folder in settings.snapshot.folders] == [(), ()]
    assert "小梅" not in settings.path.read_text(encoding="utf-8") and settings.path.read_text().startswith("# mine\n")


def test_names_that_the_library_tells_apart_are_told_apart(tmp_path: Path) -> None:
    settings = file(tmp_path, '[[folders]]\npath = "/a"\nredact_keep = ["Mei  Li"]\n')
    settings.rename_kept("Mei Li", "Tom")
    assert [folder.redact_keep for folder in settings.load().folders] == [("Mei  Li",)]


def test_a_name_that_nobody_is_kept_by_leaves_the_file_alone(tmp_path: Path) -> None:
    settings = file(tmp_path, '[[folders]]\npath = "/a"\nredact_keep = ["Mei"]\n')
    before = settings.path.stat()
    settings.rename_kept("Tom", None)
    assert settings.path.stat() == before
    nowhere = SettingsFile(tmp_path / "none.toml", {})
    nowhere.rename_kept("Mei", None)
    assert not nowhere.path.exists()


def test_a_change_of_a_folder_that_is_wrong_or_of_none_writes_nothing(tmp_path: Path) -> None:
    text = '[[folders]]\npath = "/a"\n'
    settings = file(tmp_path, text)
    with pytest.raises(SettingsInvalid):
        settings.change_folder(root_of("/a"), {"include": [""]})
    with pytest.raises(NotFound):
        settings.change_folder(root_of("/b"), {"recursive": False})
    with pytest.raises(NotFound):
        settings.remove_folder(root_of("/b"))
    assert settings.path.read_text() == text


def test_every_setting_has_a_description_and_numbers_have_bounds() -> None:
    fields = setting_fields()
    assert len(fields) == sum(1 for field in fields.values() if field.description)
    assert all(field.minimum is not None and field.maximum is not None for field in fields.values() if field.kind in ("int", "float"))


class Told:
    """What `watch` told."""

    def __init__(self) -> None:
        self.changes: asyncio.Queue[tuple[Settings, frozenset[str]]] = asyncio.Queue()
        self.errors: asyncio.Queue[SettingsError] = asyncio.Queue()

    async def change(self, settings: Settings, sections: frozenset[str]) -> None:
        await self.changes.put((settings, sections))

    async def error(self, error: SettingsError) -> None:
        await self.errors.put(error)


async def test_the_file_is_read_again_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_watch, "_POLL_S", 0.01)
    monkeypatch.setattr(config_watch, "_STEADY_S", 0.01)
    settings, told = file(tmp_path, "[popup]\nseconds = 5\n"), Told()
    settings.load()
    watching = asyncio.create_task(settings.watch(told.change, told.error))

    settings.path.write_text("[popup]\nseconds = 60\n")
    changed, sections = await asyncio.wait_for(told.changes.get(), 5)
    assert (changed.popup.seconds, sections) == (60, frozenset({"popup"}))

    settings.path.write_text("[popup]\nseconds = 0\n")
    assert (await asyncio.wait_for(told.errors.get(), 5)).code == "settings.invalid"
    assert settings.snapshot.popup.seconds == 60

    settings.path.write_text("[popup] # as before\nseconds = 60\n")
    assert await asyncio.wait_for(told.changes.get(), 5) == (changed, frozenset())  # the trouble is over

    settings.path.write_text("#\n")
    assert (await asyncio.wait_for(told.changes.get(), 5))[0] == Settings()

    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert told.changes.empty()
    assert told.errors.empty()


async def test_a_file_that_is_lost_while_it_is_watched_deletes_nothing_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_watch, "_POLL_S", 0.01)
    monkeypatch.setattr(config_watch, "_STEADY_S", 0.01)
    text = "[recognition] # mine\nenabled = true\n"
    settings, told = file(tmp_path, text), Told()
    settings.load()
    watching = asyncio.create_task(settings.watch(told.change, told.error))
    for lost in (settings.path.unlink, lambda: settings.path.write_text("\n")):
        lost()
        assert (await asyncio.wait_for(told.errors.get(), 5)).code == "settings.gone"
        assert settings.snapshot.recognition.enabled
    await asyncio.to_thread(settings.set, "popup.seconds", "60")
    changed, sections = await asyncio.wait_for(told.changes.get(), 5)
    assert (changed.recognition.enabled, sections) == (True, frozenset({"popup"}))
    assert settings.path.read_text().startswith(text)
    assert told.errors.empty()
    watching.cancel()


async def test_settings_lost_before_a_start_come_back_from_their_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_watch, "_POLL_S", 0.01)
    monkeypatch.setattr(config_watch, "_STEADY_S", 0.01)
    path, text = tmp_path / "settings.toml", "[recognition] # mine\nenabled = true\n"
    path.write_text(text)

    def started() -> SettingsFile:
        settings = SettingsFile(path, {}, copy=SettingsCopy(tmp_path / "copy.toml"))
        settings.load()
        return settings

    started()
    assert not (tmp_path / "copy.toml").exists(), "a command begins none"
    started().keep_copy()
    for lost in (path.unlink, lambda: path.write_text(" \n")):
        lost()
        again, told = started(), Told()
        assert again.load().recognition.enabled
        assert [error.code for error in again.problems()] == ["settings.gone"]
        watching = asyncio.create_task(again.watch(told.change, told.error))
        assert (await asyncio.wait_for(told.errors.get(), 5)).code == "settings.gone"
        watching.cancel()
    changed = SettingsFile(path, {}, copy=SettingsCopy(tmp_path / "copy.toml"))
    assert changed.preview("popup.seconds", "60").recognition.enabled
    changed.set("popup.seconds", "60")
    assert path.read_text().startswith(text)
    assert (tmp_path / "copy.toml").read_bytes() == path.read_bytes()

    path.write_text("#\n")
    assert not started().snapshot.recognition.enabled, "the defaults, as the user wants them"
    path.unlink()
    assert not started().snapshot.recognition.enabled


def test_a_copy_with_a_mistake_of_another_version_is_mended_by_its_key(tmp_path: Path) -> None:
    copy = tmp_path / "copy.toml"
    copy.write_text("[popup]\nseconds = 1\n[recognition]\nenabled = true\n")
    settings = SettingsFile(tmp_path / "settings.toml", {}, copy=SettingsCopy(copy))
    with pytest.raises(SettingsInvalid) as caught:
        settings.load()
    assert (caught.value.params["key"], caught.value.params.get("line")) == ("popup.seconds", None)
    assert settings.set("popup.seconds", "60").recognition.enabled


async def test_a_file_that_is_too_much_for_the_reader_does_not_end_the_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_watch, "_POLL_S", 0.01)
    monkeypatch.setattr(config_watch, "_STEADY_S", 0.01)
    settings, told = file(tmp_path, f"[popup]\nseconds = {TOO_LONG}\n"), Told()
    watching = asyncio.create_task(settings.watch(told.change, told.error))
    assert (await asyncio.wait_for(told.errors.get(), 5)).code == "settings.unreadable"
    settings.path.write_text("[popup]\nseconds = 60\n")
    assert (await asyncio.wait_for(told.changes.get(), 5))[0].popup.seconds == 60
    watching.cancel()


async def test_what_was_set_by_the_program_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_watch, "_POLL_S", 3600)
    monkeypatch.setattr(config_watch, "_STEADY_S", 0.01)
    settings, told = file(tmp_path), Told()
    settings.load()
    watching = asyncio.create_task(settings.watch(told.change, told.error))
    await asyncio.sleep(0.05)
    await asyncio.to_thread(settings.set, "recognition.enabled", "true")
    changed, sections = await asyncio.wait_for(told.changes.get(), 5)
    assert (changed.recognition.enabled, sections) == (True, frozenset({"recognition"}))
    watching.cancel()


async def test_who_waits_meets_what_another_process_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_watch, "_POLL_S", 3600)
    monkeypatch.setattr(config_watch, "_STEADY_S", 0.01)
    settings, told = file(tmp_path), Told()
    settings.load()
    await settings.caught_up()  # without a watch there is nothing to wait for
    watching = asyncio.create_task(settings.watch(told.change, told.error))
    await asyncio.sleep(0.05)
    for seconds in (60, 0, 30):  # the second is invalid
        settings.path.write_text(f"[popup]\nseconds = {seconds}\n")
        await asyncio.wait_for(settings.caught_up(), 5)
        assert told.errors.qsize() if seconds == 0 else told.changes.get_nowait()[0].popup.seconds == seconds
    watching.cancel()


async def test_it_waits_no_longer_than_it_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_watch, "_STEADY_S", 0.01)
    settings, told = file(tmp_path), Told()
    busy = asyncio.Event()

    async def change(*_: object) -> None:
        await busy.wait()

    watching = asyncio.create_task(settings.watch(change, told.error))
    await asyncio.sleep(0.05)
    settings.path.write_text("[popup]\nseconds = 60\n")
    await asyncio.wait_for(settings.caught_up(limit_s=0.1), 5)
    watching.cancel()
