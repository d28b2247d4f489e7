"""The texts that commands are declared with, in the language that the user chose."""

import tomllib

from agent.infrastructure.core.i18n import LANGUAGES, Texts
from agent.infrastructure.core.paths import AppPaths


def chosen_texts() -> Texts:
    """Return the texts of the language in the settings file; the system's if there is none, or the file can't be read.

    Help is written when commands are imported, before the settings are validated.
    """
    try:
        written = tomllib.loads(AppPaths.find().settings.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return Texts()
    general = written.get("general")
    language = general.get("language") if isinstance(general, dict) else None
    return Texts(language) if language in LANGUAGES else Texts()


TEXTS = chosen_texts()
