"""The release's manifest is made of its files, signed, and can be read back."""

import base64
import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.features.updates.manifest import opened
from scripts.update_manifest import KEY_VARIABLE, main, public_key

KEY = bytes(range(32))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "release"
    folder.mkdir()
    names = ["ai-popup_0.2.0_amd64.deb", "ai-popup-0.2.0.x86_64.rpm", "AI-Popup-0.2.0-x86_64.AppImage", "AI-Popup-0.2.0-setup.exe"]
    for name in [*names, "AI-Popup-0.2.0.msi", "AI-Popup-0.2.0-arm64.dmg", "SHA256SUMS", "my_ai_popup-0.2.0-py3-none-any.whl"]:
        (folder / name).write_bytes(name.encode())
    return folder


def make(files: Path, *words: str) -> int:
    return main(["--files", str(files), "--address", "https://example.org/d", "--out", str(files.parent), "--version", "0.2.0", *words])


def test_every_installer_is_listed_with_size_and_hash(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, base64.b64encode(KEY).decode())
    news = files.parent / "news.txt"
    news.write_text("更小、更快\n", encoding="utf-8")
    assert make(files, "--news", f"zh-CN={news}") == 0
    release = opened((files.parent / "stable.json").read_bytes(), public_key(KEY))
    kinds = {(file.kind, file.platform) for file in release.files}
    linux = {("deb", "linux-x86_64"), ("rpm", "linux-x86_64"), ("appimage", "linux-x86_64")}
    assert kinds == linux | {("nsis", "windows-x86_64"), ("msi", "windows-x86_64"), ("dmg", "macos-arm64")}
    for file in release.files:
        content = (files / file.name).read_bytes()
        assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert file.address == f"https://example.org/d/{file.name}"
    assert release.news == {"zh-CN": "更小、更快"}
    assert timedelta(days=100) < release.expires - datetime.now(UTC) < timedelta(days=130)


def test_an_unfinished_version_goes_to_the_beta_channel(files: Path) -> None:
    key = files.parent / "key"
    key.write_text(base64.b64encode(KEY).decode())
    assert make(files, "--version", "0.3.0b1", "--key", str(key)) == 0
    assert opened((files.parent / "beta.json").read_bytes(), public_key(KEY)).channel == "beta"


@pytest.mark.parametrize("key", ["", "short", "not base64 \N{SNOWMAN}"])
def test_without_a_proper_key_nothing_is_written_and_none_is_shown(files: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv(KEY_VARIABLE, key)
    with pytest.raises(SystemExit) as caught:
        make(files)
    assert str(caught.value).startswith("no private key") and (not key or key not in str(caught.value))
    assert not (files.parent / "stable.json").exists()


def test_an_address_that_is_not_https_is_refused(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        make(files, "--address", "http://example.org/d")
    assert "https" in capsys.readouterr().err


def test_a_new_key_is_for_its_owners_eyes_and_never_takes_anothers_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "key"
    assert main(["--new-key", str(file)]) == 0
    assert capsys.readouterr().out.strip() == public_key(base64.b64decode(file.read_text()))
    if os.name == "posix":
        assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(FileExistsError):
        main(["--new-key", str(file)])
