"""The installer for administrators under Wine, of a stand-in for the program: what it writes, keeps and takes away. Not the program."""

import functools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.infrastructure.core.config_check import validated
from agent.infrastructure.core.config_environment import from_environment
from installers.windows.msi import msi
from tests.packages.windows.conftest import MakeStandIn, Wine, files_of, until

Package = Callable[..., Path]
VARIABLES = r"System\CurrentControlSet\Control\Session Manager\Environment"
PROGRAMS = r"Software\Microsoft\Windows\CurrentVersion\Uninstall"

pytestmark = pytest.mark.timeout(300)  # the first one waits for a whole Windows to be made


@pytest.fixture(scope="module")
def package(stand_in: MakeStandIn, tmp_path_factory: pytest.TempPathFactory) -> Package:
    def make(version: str = "0.1.0") -> Path:
        folder = tmp_path_factory.mktemp("package")
        return msi(stand_in(version), folder, folder, version=version)

    return functools.cache(make)


def place(wine: Wine) -> Path:
    return wine.prefix / "drive_c" / "Program Files" / "AI Popup"


def variables(wine: Wine) -> dict[str, str]:
    found = wine.registry(VARIABLES, "HKLM")[""]
    return {name: value for name, value in found.items() if name.startswith("AI_POPUP")}


def installed(wine: Wine) -> list[str]:
    """The versions in Windows' list of programs."""
    found = wine.registry(PROGRAMS, "HKLM").values()
    return [entry["DisplayVersion"] for entry in found if entry.get("DisplayName") == "AI Popup"]


def test_a_stand_in_is_installed_for_all_users_with_the_policies_that_were_given(wine: Wine, package: Package) -> None:
    assert wine.run("msiexec", "/i", str(package()), "/qn", "AUTOSTART=0", "RECOGNITION=0", "UPDATES=0") == 0
    assert {"ai-popup.exe", "ai-popup-window.exe"} <= set(files_of(place(wine)))
    assert json.loads((place(wine) / "_internal" / "agent" / "_data" / "build" / "build.json").read_text())["kind"] == "msi"
    assert installed(wine) == ["0.1.0"]
    classes = wine.registry(r"Software\Classes\Directory\shell", "HKLM")
    assert classes["AI Popup find"]["@"] == "Find faces with AI Popup"
    assert classes[r"AI Popup redact\command"]["@"] == r'"C:\Program Files\AI Popup\ai-popup-window.exe" hand-over redact "%1"'
    assert len(list((wine.prefix / "drive_c").rglob("Start Menu/Programs/AI Popup.lnk"))) == 1  # Wine knows no menu of all users
    policies = variables(wine)
    assert set(policies.values()) == {"0"}
    on = {"general": {"autostart": True}, "recognition": {"enabled": True}}
    settings = validated(on, from_environment(policies))  # as the program reads them
    assert (settings.general.autostart, settings.recognition.enabled, settings.updates.enabled) == (False, False, False)


def test_a_stand_in_that_runs_is_replaced_and_policies_stay(wine: Wine, package: Package) -> None:
    library = wine.local / "ai-popup"
    assert wine.run("msiexec", "/i", str(package("0.1.0")), "/qn", "AUTOSTART=1", "RECOGNITION=0") == 0
    wine.start(place(wine) / "ai-popup-window.exe", "run")
    until(lambda: (library / "running").exists())
    (library / "library.db").write_bytes(b"names")
    assert wine.run("msiexec", "/i", str(package("0.2.0")), "/qn", "AUTOSTART=0") == 0
    assert not (library / "running").exists()
    assert [file.name for file in (place(wine) / "_internal" / "some files").iterdir()] == ["only in 0.2.0.txt"]
    assert installed(wine) == ["0.2.0"]
    assert variables(wine) == {"AI_POPUP__GENERAL__AUTOSTART": "0", "AI_POPUP__RECOGNITION__ENABLED": "0"}

    assert wine.run("msiexec", "/i", str(package("0.1.0")), "/qn") != 0, "an older one"
    assert installed(wine) == ["0.2.0"]

    assert wine.run("msiexec", "/x", str(package("0.2.0")), "/qn") == 0
    assert not place(wine).exists()
    assert installed(wine) == []
    assert variables(wine) == {}
    assert not any("AI Popup" in key for key in wine.registry(r"Software\Classes", "HKLM"))
    assert not list((wine.prefix / "drive_c").rglob("AI Popup.lnk"))
    assert (library / "library.db").read_bytes() == b"names"


def test_a_policy_that_is_neither_yes_nor_no_is_refused(wine: Wine, package: Package) -> None:
    assert wine.run("msiexec", "/i", str(package()), "/qn", "RECOGNITION=never") != 0
    assert not place(wine).exists()


def test_a_beta_is_not_made_for_administrators(stand_in: MakeStandIn, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="releases only"):
        msi(stand_in("0.1.0"), tmp_path, tmp_path, version="0.2.0b1")


def test_a_name_that_the_tool_would_lose_is_refused(stand_in: MakeStandIn, tmp_path: Path) -> None:
    program = stand_in("0.3.0")
    (program / "_internal" / "说明.txt").touch()
    with pytest.raises(ValueError, match="lose this name"):
        msi(program, tmp_path, tmp_path, version="0.3.0")
