"""Checks the profiles in assets/config: each is valid by itself, differs from the defaults, and none is missing."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from agent.core.config_check import Raw, parsed, problems, validated  # noqa: E402
from agent.core.config_file import PROFILES  # noqa: E402
from agent.core.i18n import Texts  # noqa: E402
from agent.core.settings import Settings  # noqa: E402
from agent.domain.errors import SettingsError  # noqa: E402

FOLDER = ROOT / "assets" / "config"


def faults(folder: Path) -> list[str]:
    """Return the faults, a line each."""
    texts = Texts("en")
    found = [f"{name}.toml is missing" for name in PROFILES if not (folder / f"{name}.toml").is_file()]
    found += [f"{path.name} is no profile: {', '.join(PROFILES)}" for path in sorted(folder.glob("*")) if path.stem not in PROFILES]
    for path in sorted(folder.glob("*.toml")):
        try:
            raw = parsed(path.read_bytes())
        except SettingsError as error:
            found.append(f"{path.name}: {texts.cause(error)}")
            continue
        found += [f"{path.name}: {texts.cause(error)}" for error in problems(raw)]
        if not problems(raw):
            found += [f"{path.name}: {key} says the default again" for key in _idle(raw)]
    return found


def _idle(raw: Raw) -> list[str]:
    """Return the settings of a profile that change nothing."""
    plain, changed = Settings().model_dump(), validated(raw).model_dump()
    return [
        f"{section}.{key}"
        for section, values in raw.items()
        if isinstance(values, dict)
        for key in values
        if plain[section][key] == changed[section][key]
    ]


def main() -> int:
    found = faults(FOLDER)
    print("\n".join(found) or f"{len(PROFILES)} profiles are valid")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
