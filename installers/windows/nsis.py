"""Builds the installer for one user."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from installers.windows.staging import ICON, release, run, staged

_NONE: Mapping[str, str] = MappingProxyType({})


def nsis(program: Path, out: Path, scratch: Path, *, version: str, defines: Mapping[str, str] = _NONE) -> Path:
    """Build it from the folder `program`, below the folder `out`. `defines` overrides the script's names.

    Raises ValueError for a folder without a program, CalledProcessError.
    """
    payload = staged(program, scratch, "nsis")
    setup = out.absolute() / f"ai-popup-{version}-windows-x64-setup.exe"
    size = sum(file.stat().st_size for file in payload.rglob("*") if file.is_file())
    names = {
        "VERSION": version,
        "NUMERIC_VERSION": ".".join([*release(version), "0"]),
        "PAYLOAD": str(payload),
        "SIZE_MB": str(-(-size // 1_000_000)),
        "ICON": str(ICON),
        "OUT": str(setup),
        **defines,
    }
    out.mkdir(parents=True, exist_ok=True)
    words = [f"-D{name}={value}" for name, value in names.items()]
    run(["makensis", "-V2", "-WX", "-INPUTCHARSET", "UTF8", *words, str(Path(__file__).with_name("ai-popup.nsi"))])
    return setup
