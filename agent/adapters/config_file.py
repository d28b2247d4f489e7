"""The settings in force: defaults, profile, the user's file and the environment, read again when the file changes."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from agent.adapters.config_check import Raw, from_environment, parsed, parsed_value, problems, validated
from agent.adapters.config_fields import nearest_key
from agent.adapters.durable import write_private
from agent.adapters.paths import make_private
from agent.domain.errors import SettingsError, SettingsInvalid, SettingsUnknownKey, SettingsUnwritable, StoreUnwritable
from agent.resources import resource
from agent.settings import Settings, changed_sections

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

PROFILE_VARIABLE = "AI_POPUP_PROFILE"
PROFILES = ("prod", "staging", "dev")

OnChange: TypeAlias = Callable[[Settings, frozenset[str]], Awaitable[None]]
OnError: TypeAlias = Callable[[SettingsError], Awaitable[None]]
_Signature: TypeAlias = tuple[int, int, int] | None

# One stat of one file: cheaper when idle than a watcher with its threads.
_POLL_S = 2.0
# An editor truncates and writes, or writes beside and renames: the file is read when it was the same twice, this far apart.
_STEADY_S = 0.2


class SettingsFile:
    """The user's `settings.toml` among its layers. `snapshot` is the last that was valid; `set` may be called from any thread."""

    def __init__(self, path: Path, environ: Mapping[str, str] = os.environ, profile: str | None = None) -> None:
        self.path = path
        self.profile = profile or environ.get(PROFILE_VARIABLE) or PROFILES[0]
        self.snapshot = Settings()
        self._environment = from_environment(environ)
        self._nudge: Callable[[], object] | None = None

    def load(self) -> Settings:
        """Read and validate all layers. Raises SettingsError; `snapshot` stays as it was then."""
        self.snapshot = validated(self._profile(), self.raw(), self._environment)
        return self.snapshot

    def problems(self) -> list[SettingsError]:
        """Everything that is wrong with the file and the environment."""
        try:
            return problems(self._profile(), self.raw(), self._environment)
        except SettingsError as error:
            return [error]

    def raw(self) -> Raw:
        """What the user's file itself says, unchecked; empty if there is none. Raises SettingsUnreadable or SettingsInvalid."""
        return parsed(self._read())

    def set(self, key: str, raw: str) -> Settings:
        """Write one setting, given as TOML or plain text; comments and order stay. Raises SettingsError, and nothing is written then."""
        keys = self.check_key(key)
        with self._edited() as document:
            table: MutableMapping[str, object] = document
            for name in keys[:-1]:
                below = table.setdefault(name, {})
                if not isinstance(below, MutableMapping):
                    raise SettingsInvalid(key=name, reason="table")
                table = below
            table[keys[-1]] = parsed_value(raw)
            self._check(document)
        return self.snapshot

    def unset(self, key: str) -> Settings:
        """Back to the profile's or the default value. Raises SettingsError."""
        keys = self.check_key(key)
        with self._edited() as document:
            table: object = document
            for name in keys[:-1]:
                table = table.get(name) if isinstance(table, MutableMapping) else None
            if isinstance(table, MutableMapping):
                table.pop(keys[-1], None)
            self._check(document)
        return self.snapshot

    def add_folder(self, folder: Path) -> Settings:
        """Watch one more folder; a folder that is watched already changes nothing. Raises SettingsError."""
        import tomlkit

        wanted = folder.expanduser().absolute()
        with self._edited() as document:
            if "folders" not in document:
                # The list replaces the profile's whole, so it has to carry that on.
                document["folders"] = tomlkit.item(validated(self._profile()).model_dump(mode="json")["folders"] or tomlkit.aot())
            folders = document["folders"]
            if not any(Path(str(known.get("path", ""))).expanduser().absolute() == wanted for known in folders):
                folders.append(tomlkit.item({"path": str(wanted)}) if isinstance(folders, tomlkit.items.AoT) else {"path": str(wanted)})
            self._check(document)
        return self.snapshot

    async def watch(self, on_change: OnChange, on_error: OnError) -> None:
        """Until cancelled, tell each new valid snapshot with the sections that differ from the last one told, and why a file was refused.

        After a refused file the next valid one is told even if nothing differs: the trouble is over.
        """
        told, refused = self.snapshot, False
        changed = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._nudge = lambda: loop.call_soon_threadsafe(changed.set)
        seen: _Signature | str = "unread"
        try:
            while True:
                seen = await self._settled(seen, changed)
                try:
                    settings = await asyncio.to_thread(self.load)
                except SettingsError as error:
                    refused = True
                    await on_error(error)
                    continue
                sections = changed_sections(told, settings)
                if sections or refused:
                    told, refused = settings, False
                    await on_change(settings, sections)
        finally:
            self._nudge = None

    async def _settled(self, seen: _Signature | str, changed: asyncio.Event) -> _Signature:
        """Wait until the file differs from `seen` and has stopped changing."""
        now = _signature(self.path)
        while now == seen:
            with suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), _POLL_S)
            changed.clear()
            now = _signature(self.path)
        while True:
            await asyncio.sleep(_STEADY_S)
            later = _signature(self.path)
            if later == now:
                return now
            now = later

    @staticmethod
    def check_key(key: str) -> list[str]:
        """The parts of a setting's key. Raises SettingsUnknownKey."""
        section, _, name = key.partition(".")
        info = Settings.model_fields.get(section)
        model = info.annotation if info else None
        fields = getattr(model, "model_fields", None)
        if info is None or (name and (fields is None or name not in fields)) or (fields is not None and not name):
            raise SettingsUnknownKey(key=key, nearest=nearest_key(key))
        return key.split(".")

    def _profile(self) -> Raw:
        if self.profile not in PROFILES:
            raise SettingsInvalid(key=PROFILE_VARIABLE, reason="one_of", choices=", ".join(PROFILES))
        return parsed((resource("config") / f"{self.profile}.toml").read_bytes())

    def _read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise SettingsInvalid(key=self.path.name, reason="no_access") from error

    def _check(self, document: "TOMLDocument") -> None:
        """Validate what the file would say, also where the environment hides it."""
        validated(self._profile(), document.unwrap())
        validated(self._profile(), document.unwrap(), self._environment)

    @contextmanager
    def _edited(self) -> Iterator["TOMLDocument"]:
        """The file as an editable document, written atomically at the end; one writer at a time, also among processes."""
        import tomlkit
        from filelock import FileLock, Timeout

        try:
            make_private(self.path.parent)
            with FileLock(self.path.with_name(self.path.name + ".lock"), timeout=5):
                text = self._read()
                parsed(text)  # for its error, which names the line
                document = tomlkit.parse(text.decode("utf-8-sig"))
                yield document
                # Resolved: a link to a file elsewhere (dotfiles) stays a link.
                write_private(self.path.resolve(), tomlkit.dumps(document).encode())
        except (OSError, Timeout, StoreUnwritable) as error:
            raise SettingsUnwritable from error
        self.load()
        if self._nudge is not None:
            self._nudge()


def _signature(path: Path) -> _Signature:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_ino, facts.st_size, facts.st_mtime_ns
