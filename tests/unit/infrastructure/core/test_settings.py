"""The settings model."""

import pytest
from pydantic import ValidationError

from agent.infrastructure.core.program_settings import LogSettings
from agent.infrastructure.core.settings import Folder, Settings, changed_sections, folder_of, root_of


def test_a_reload_names_the_sections_that_differ() -> None:
    old = Settings()
    new = old.model_copy(update={"logs": LogSettings(level="debug"), "folders": (Folder(path="~/a"),)})
    assert changed_sections(old, new) == {"logs", "folders"}
    assert changed_sections(old, Settings()) == frozenset()


def test_a_snapshot_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().logs.level = "debug"  # type: ignore[misc]


def test_recognition_is_off_until_the_user_switches_it_on() -> None:
    assert Settings().recognition.enabled is False


def test_unknown_keys_are_refused_at_every_depth() -> None:
    raws: list[dict[str, object]] = [{"logz": {}}, {"logs": {"levels": "info"}}, {"folders": [{"path": "a", "deep": True}]}]
    for raw in raws:
        with pytest.raises(ValidationError):
            Settings.model_validate(raw)


def test_a_file_belongs_to_the_innermost_watched_folder() -> None:
    outer, inner = Folder(path="/photos"), Folder(path="/photos/2026/", muted=True)
    assert folder_of(root_of("/photos/a.jpg"), (inner, outer)) is outer
    assert folder_of(root_of("/photos/2026/a.jpg"), (inner, outer)) is inner
    assert folder_of(root_of("/photos2/a.jpg"), (inner, outer)) is None
    again = Folder(path="/photos", muted=True)
    assert folder_of(root_of("/photos/a.jpg"), (outer, again)) is again


@pytest.mark.parametrize("to", ["/photos", "/photos/", "/photos/safe/deep", "/photos/../photos/x", "safe", "../safe"])
def test_copies_of_a_folder_never_go_into_it_or_to_wherever_the_program_was_started(to: str) -> None:
    with pytest.raises(ValidationError):
        Folder(path="/photos", redact_to=to)


@pytest.mark.parametrize("to", ["", "/photos-safe", "/", "~/safe"])
def test_copies_of_a_folder_go_elsewhere(to: str) -> None:
    assert Folder(path="/photos", redact_to=to).redact_to == to


def test_backups_go_to_a_full_path() -> None:
    for folder in ("", "~/backups"):
        assert Settings.model_validate({"backup": {"folder": folder}}).backup.folder == folder
    with pytest.raises(ValidationError, match="not absolute"):
        Settings.model_validate({"backup": {"folder": "backups"}})
