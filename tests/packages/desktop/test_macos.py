"""The disk image's parts, as far as another system sees them: what is written, and what is called in which order. No Mac is asked."""

import base64
import json
import plistlib
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from installers.macos.build import HERE, dmg
from installers.macos.quick_actions import write_quick_actions

CODE = b"\xcf\xfa\xed\xfe rest"
SIGNED = {"MACOS_SIGN_IDENTITY": "Developer ID Application: Somebody"}
NOTARISED = {**SIGNED, "MACOS_NOTARY_KEY": "secret text", "MACOS_NOTARY_KEY_ID": "K", "MACOS_NOTARY_ISSUER": "I"}


class Calls:
    """Stands for the Mac's own tools."""

    def __init__(self) -> None:
        self.made: list[Sequence[str]] = []

    def __call__(self, command: Sequence[str]) -> None:
        self.made.append(command)

    def of(self, tool: str) -> list[Sequence[str]]:
        return [command for command in self.made if tool in command]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    contents = tmp_path / "made" / "AI Popup.app" / "Contents"
    for folder in ("MacOS", "Resources/agent/_data", "Frameworks"):
        (contents / folder).mkdir(parents=True)
    for name in ("MacOS/ai-popup", "Frameworks/Python", "Frameworks/libx.dylib"):
        (contents / name).write_bytes(CODE)
    (contents / "Frameworks" / "agent").symlink_to("../Resources/agent")
    (contents / "Frameworks" / "words.txt").write_text("words")
    return contents.parent


def test_the_image_holds_the_app_the_way_to_applications_and_the_quick_actions(app: Path, tmp_path: Path) -> None:
    address = {"AI_POPUP_BUILD_UPDATE_ADDRESS": "https://example.org", "AI_POPUP_BUILD_UPDATE_KEY": base64.b64encode(bytes(32)).decode()}
    calls = Calls()
    image = dmg(app, tmp_path / "out", tmp_path / "scratch", address, version="1.2.3", run=calls)
    assert image.name == "ai-popup-1.2.3-macos-arm64.dmg"
    inside = tmp_path / "scratch" / "image"
    assert {path.name for path in inside.iterdir()} == {"AI Popup.app", "Applications", "Finder Quick Actions"}
    build = inside / "AI Popup.app" / "Contents" / "Frameworks" / "agent" / "_data" / "build" / "build.json"
    assert json.loads(build.read_text())["kind"] == "dmg"
    assert not (app / "Contents" / "Resources" / "zh-Hans.lproj").exists()  # what PyInstaller made stays as it is
    assert [command[:2] for command in calls.of("hdiutil")] == [["hdiutil", "create"]]


def test_without_secrets_it_is_made_all_the_same_and_says_so(app: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calls = Calls()
    dmg(app, tmp_path / "out", tmp_path / "scratch", {}, run=calls)
    said = capsys.readouterr().out
    assert "Not signed" in said
    assert "Not notarised" in said
    assert [command[:5] for command in calls.of("codesign")] == [["codesign", "--force", "--deep", "--sign", "-"]]
    assert not calls.of("notarytool")


def test_what_is_inside_is_signed_first_and_the_entitlements_are_the_programs_alone(app: Path, tmp_path: Path) -> None:
    calls = Calls()
    dmg(app, tmp_path / "out", tmp_path / "scratch", SIGNED, run=calls)
    signed = [Path(command[-1]).name for command in calls.of("codesign")]
    assert signed == ["Python", "libx.dylib", "AI Popup.app"]
    assert [("--entitlements" in command) for command in calls.of("codesign")] == [False, False, True]
    assert all("runtime" in command for command in calls.of("codesign"))
    assert not calls.of("notarytool")


def test_the_notary_key_is_never_an_argument(app: Path, tmp_path: Path) -> None:
    calls = Calls()
    dmg(app, tmp_path / "out", tmp_path / "scratch", NOTARISED, run=calls)
    assert [command[1] for command in calls.of("xcrun")] == ["notarytool", "stapler"]
    assert not any("secret text" in word for command in calls.made for word in command)
    assert (tmp_path / "scratch" / "notary.p8").stat().st_mode & 0o777 == 0o600


def test_finder_gets_both_actions_in_both_languages(tmp_path: Path) -> None:
    for bundle, verb, chinese in zip(write_quick_actions(tmp_path), ("find", "redact"), ("查找人脸", "打码"), strict=True):
        service = plistlib.loads((bundle / "Contents" / "Info.plist").read_bytes())["NSServices"][0]
        assert service["NSMenuItem"]["default"] == bundle.stem
        assert chinese in (bundle / "Contents" / "Resources" / "zh-Hans.lproj" / "ServicesMenu.strings").read_text(encoding="utf-8")
        step = plistlib.loads((bundle / "Contents" / "document.wflow").read_bytes())["actions"][0]["action"]
        assert step["ActionParameters"]["COMMAND_STRING"].endswith(f'ai-popup" hand-over {verb} "$@"')


def test_every_permission_is_explained_in_both_languages() -> None:
    facts = plistlib.loads((HERE / "Info.plist").read_bytes())
    sentences = {name for name in facts if name.endswith("UsageDescription")}
    chinese = dict(
        re.findall(r'^"(\w+)" = "(.+)";$', (HERE / "zh-Hans.lproj" / "InfoPlist.strings").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert sentences == {name for name in chinese if name.endswith("UsageDescription")}
    assert facts["LSUIElement"] is True


def test_the_hardened_runtime_is_opened_for_computing_only() -> None:
    allowed = plistlib.loads((HERE / "entitlements.plist").read_bytes())
    assert set(allowed) == {"com.apple.security.cs.allow-jit", "com.apple.security.cs.allow-unsigned-executable-memory"}
