"""Texts in the user's language, from the catalogue that the UI shares.

A text may have `{name}` placeholders. A plural has two texts, `key_one` and `key_other`, selected by `count`; Chinese has only `_other`.
"""

import json
import locale
import os
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from agent.domain.errors import AgentError, Param
from agent.infrastructure.core.resources import resource

FALLBACK = "en"
LANGUAGES = ("en", "zh-CN")

browser_language: ContextVar[str | None] = ContextVar("browser_language", default=None)
"""what `auto` means during a request to a team server: each member reads their own language"""
on_server: ContextVar[bool] = ContextVar("on_server", default=False)
"""whether the reader sits elsewhere than the program runs: what says "on this computer" has another text, its key with `_on_server`"""
_ON_SERVER: Final = "_on_server"


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return all texts of a language by dotted key."""
    nested = json.loads((resource("locales") / f"{language}.json").read_text(encoding="utf-8"))
    flat: dict[str, str] = {}

    def walk(prefix: str, node: Mapping[str, object]) -> None:
        for key, value in node.items():
            if isinstance(value, Mapping):
                walk(f"{prefix}{key}.", value)
            else:
                flat[prefix + key] = str(value)

    walk("", nested)
    return flat


def system_language(environ: Mapping[str, str] = os.environ) -> str:
    """Return the language of the desktop session: Chinese if set, otherwise English."""
    wanted = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), None)
    wanted = wanted or locale.getlocale()[0] or ""
    return "zh-CN" if wanted.lower().startswith(("zh", "chinese")) else FALLBACK


def preferred_language(header: str) -> str | None:
    """Return the first of our languages in an Accept-Language header; None if there is none."""
    for each in header.split(","):
        wanted = each.partition(";")[0].strip().lower()
        for language in LANGUAGES:
            if wanted.partition("-")[0] == language.partition("-")[0]:
                return language
    return None


class Texts:
    """The catalogue of one language, with English as fallback."""

    def __init__(self, language: str = "auto") -> None:
        self.language = (browser_language.get() or system_language()) if language == "auto" else language

    def __call__(self, key: str, /, **params: Param) -> str:
        """Return the text of `key` with its placeholders filled; the key itself if there is no such text."""
        if on_server.get() and f"{key}{_ON_SERVER}" in catalogue(FALLBACK):
            key += _ON_SERVER
        keys = (f"{key}_{'one' if params.get('count') == 1 else 'other'}", f"{key}_other", key) if "count" in params else (key,)
        for texts in (catalogue(self.language), catalogue(FALLBACK)):
            for candidate in keys:
                if candidate in texts:
                    return fill(texts[candidate], params)
        return key

    def counted(self, key: str, /, **counts: int) -> str:
        """Return the text of `key`, whose placeholders are counts of photos, faces, people or albums, each in its plural form."""
        return self(key, **{name: self(f"count.{name}", count=count) for name, count in counts.items()})

    def cause(self, error: AgentError) -> str:
        """Return what happened."""
        return self._of(error, "cause")

    def remedy(self, error: AgentError) -> str:
        """Return what to do about it."""
        return self._of(error, "remedy")

    def moment(self, at: datetime, now: datetime) -> str:
        """Return a time in the near future on this computer's clock, with its day unless that is today."""
        local, today = at.astimezone(), now.astimezone().date()
        if local.date() == today:
            return f"{local:%H:%M}"
        key = "time.tomorrow" if local.date() == today + timedelta(days=1) else "time.later"
        return self(key, day=f"{local:%Y-%m-%d}", time=f"{local:%H:%M}")

    def _of(self, error: AgentError, part: str) -> str:
        """Return a text of an error. `cause_limit` is preferred to `cause` if the error has a parameter `limit` that is not empty."""
        key = f"errors.{error.code}.{part}"
        variants = (f"{key}_{name}" for name, value in error.params.items() if value != "")
        params = dict(error.params)
        if "choices" in params:
            params["choices"] = str(params["choices"]).replace(", ", self("ui.list_separator"))
        if params.get("where"):  # a repository of backups
            params["where"] = self(f"backups.repositories.{params['where']}")
        if "reason" in params:
            # The reason for refusing a setting is a kind (`between`) with a translated text; other reasons are used as they are.
            told = self(f"settings.reason.{params['reason']}", **params)
            params["reason"] = params["reason"] if told.startswith("settings.reason.") else told
        return self(next((variant for variant in variants if variant in catalogue(FALLBACK)), key), **params)


def fill(text: str, params: Mapping[str, Param]) -> str:
    """Fill the placeholders; one without a parameter stays, so that a bug is visible without failing."""
    for name, value in params.items():
        shown = f"{value:,}" if isinstance(value, int | float) else str(value)  # formatted as in the UI
        text = text.replace("{" + name + "}", shown)
    return text
