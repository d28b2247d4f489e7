"""Checks the profiles in assets/config and the environments of the team server.

Each profile is valid by itself, differs from the defaults, and none is missing; each environment is safe for what it is for.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from agent.domain.errors import SettingsError  # noqa: E402
from agent.infrastructure.core.config_check import Raw, parsed, problems, validated  # noqa: E402
from agent.infrastructure.core.config_file import PROFILES  # noqa: E402
from agent.infrastructure.core.i18n import Texts  # noqa: E402
from agent.infrastructure.core.settings import Settings  # noqa: E402
from scripts.deploying import meaning  # noqa: E402
from scripts.deploying.environment import NAMES, load  # noqa: E402
from scripts.deploying.failures import Failed  # noqa: E402

FOLDER = ROOT / "assets" / "config"
ENVIRONMENTS = ROOT / "installers" / "server" / "environments"


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


def environment_faults(folder: Path) -> list[str]:
    """Return the faults of the server's environments, a line each."""
    found = [f"{path.name} is no environment: {', '.join(NAMES)}" for path in sorted(folder.glob("*")) if path.stem not in NAMES]
    for name in NAMES:
        try:
            found += [f"{name}.toml: {fault}" for fault in meaning.faults(load(name, folder=folder))]
        except Failed as failure:
            found.append(str(failure))
    return found


def main() -> int:
    found = faults(FOLDER) + environment_faults(ENVIRONMENTS)
    print("\n".join(found) or f"{len(PROFILES)} profiles and {len(NAMES)} environments are valid")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
