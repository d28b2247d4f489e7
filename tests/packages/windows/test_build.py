"""Which installers a version gets, if none is named: what the workflow relies on."""

from pathlib import Path

import pytest

from installers.windows import build


@pytest.mark.parametrize(("version", "kinds"), [("1.2.3", ["nsis", "msi"]), ("1.2.3b1", ["nsis"])])
def test_a_beta_gets_no_installer_for_administrators(
    version: str, kinds: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def maker(kind: str) -> object:
        return lambda program, out, scratch, *, version: made.append(kind)

    monkeypatch.setattr(build, "MAKERS", {kind: maker(kind) for kind in ("nsis", "msi")})
    monkeypatch.setattr(build, "__version__", version)
    build.main([str(tmp_path), str(tmp_path)])
    assert made == kinds


@pytest.mark.parametrize("missing", ["ai-popup.exe", "ai-popup-window.exe"])
def test_a_folder_that_is_no_program_is_refused(missing: str, tmp_path: Path) -> None:
    for name in {"ai-popup.exe", "ai-popup-window.exe"} - {missing}:
        (tmp_path / name).touch()
    with pytest.raises(ValueError, match=missing):
        build.main([str(tmp_path), str(tmp_path / "out"), "nsis"])
