"""The effective settings: defaults, profile, the user's file and the environment, read again when the file changes."""

import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from agent.domain.errors import (
    NotFound,
    SettingsError,
    SettingsGone,
    SettingsInvalid,
    SettingsNoAccess,
    SettingsUnknownKey,
    SettingsUnwritable,
    StoreError,
)
from agent.infrastructure.core import config_folders
from agent.infrastructure.core.config_check import Raw, check_key, merged, nested, parsed, parsed_value, problems, validated
from agent.infrastructure.core.config_copy import SettingsCopy
from agent.infrastructure.core.config_environment import from_environment, of_section, overridden_in
from agent.infrastructure.core.config_error_location import line_of
from agent.infrastructure.core.config_watch import OnChange, OnError, SettingsWatch
from agent.infrastructure.core.files import write_private
from agent.infrastructure.core.paths import make_private
from agent.infrastructure.core.program_settings import LogSettings
from agent.infrastructure.core.resources import resource
from agent.infrastructure.core.settings import Settings, root_of
from agent.infrastructure.core.user_paths import typed_path

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

PROFILE_VARIABLE = "AI_POPUP_PROFILE"
PROFILES = ("prod", "staging", "dev")


class SettingsFile:
    """The user's `settings.toml` among its layers. `snapshot` is the last valid one; `set` may be called from any thread."""

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str] = os.environ,
        profile: str | None = None,
        copy: SettingsCopy | None = None,
    ) -> None:
        self.path = path
        self.profile = profile or environ.get(PROFILE_VARIABLE) or PROFILES[0]
        self.snapshot = Settings()
        self._environ = environ
        self._text = b""  # of the last valid file
        self._copy = copy
        self._keeps = False
        self._watch = SettingsWatch(path, self._load_present)

    def load(self) -> Settings:
        """Read and validate all layers. Raises SettingsError, with the line or the variable; `snapshot` then stays unchanged.

        If the file was there before, and now is missing or empty, its last valid content is in effect.
        """
        return self._load(*self._content())

    def _load_present(self) -> Settings:
        """As `load`, but raises SettingsGone for a lost file."""
        text, lost = self._content()
        settings = self._load(text, lost)
        if lost:
            raise SettingsGone
        return settings

    def _load(self, text: bytes, lost: bool) -> Settings:
        try:
            self.snapshot = validated(self._profile(), parsed(text), self._environment())
        except SettingsError as error:
            raise self._located(error, b"" if lost else text) from None
        self._text = text
        self._follow()
        return self.snapshot

    def keep_copy(self) -> None:
        """Keep a copy of the last valid file from now on, so that it comes back if the file is lost before the next start."""
        self._keeps = True
        self._follow()

    def _follow(self) -> None:
        if self._copy is not None and self._text.strip() and (self._keeps or self._copy.exists):
            self._copy.write(self._text)

    def problems(self) -> list[SettingsError]:
        """Return all errors of the file and the environment."""
        try:
            text, lost = self._content()
            found = [self._located(each, text) for each in problems(self._profile(), parsed(text), self._environment())]
        except SettingsError as error:
            return [error]
        return [SettingsGone()] if lost else found

    def log_settings(self) -> LogSettings:
        """Return the settings of the log as far as they can be read, whatever is wrong with others."""
        layers: list[Callable[[], Raw]] = [self._profile, self.raw, lambda: from_environment(of_section("logs", self._environ))]
        found: Raw = {}
        for layer in layers:
            with suppress(SettingsError):
                found = merged(found, layer())
        try:
            return validated(nested(["logs"], found.get("logs", {}))).logs
        except SettingsError:
            return LogSettings()

    def raw(self) -> Raw:
        """Return the content of the user's file, or of a lost one, unchecked; empty if there is none.

        Raises SettingsNoAccess, SettingsUnreadable or SettingsInvalid.
        """
        return parsed(self._content()[0])

    def overridden(self) -> dict[str, str]:
        """Return the settings that the environment overrides, `section.name` and "folders", each with the variable that does."""
        return overridden_in(self._environ)

    def set(self, key: str, raw: str) -> Settings:
        """Write one setting, given as TOML or plain text; comments and order stay. Raises SettingsError without writing anything."""
        return self._put(check_key(key), parsed_value(raw))

    def preview(self, key: str, raw: str) -> Settings:
        """Return the settings that `set` would make effective. Raises SettingsError."""
        change = nested(check_key(key), parsed_value(raw))
        return validated(self._profile(), merged(self.raw(), change), self._environment())

    def checked(self, key: str, value: object) -> object:
        """Return what would be written for this value of `section.name`, as plain data. Raises SettingsError."""
        section, name = self._one(key)
        written: object = validated(nested([section, name], value)).model_dump(mode="json")[section][name]
        return written

    def put(self, key: str, value: object) -> Settings:
        """Write one `section.name`, as `set` does. Raises SettingsError."""
        return self._put(self._one(key), self.checked(key, value))

    def _one(self, key: str) -> list[str]:
        keys = check_key(key)
        if len(keys) != 2:
            raise SettingsUnknownKey(key=key, nearest="")
        return keys

    def _put(self, keys: list[str], value: object) -> Settings:
        with self._edited() as document:
            table: MutableMapping[str, object] = document
            for name in keys[:-1]:
                below = table.setdefault(name, {})
                if not isinstance(below, MutableMapping):
                    raise SettingsInvalid(key=name, reason="table")
                table = below
            table[keys[-1]] = value
            self._check(document)
        return self.snapshot

    def unset(self, key: str) -> Settings:
        """Reset to the profile's or the default value. Raises SettingsError."""
        keys = check_key(key)
        with self._edited() as document:
            table: object = document
            for name in keys[:-1]:
                table = table.get(name) if isinstance(table, MutableMapping) else None
            if isinstance(table, MutableMapping):
                table.pop(keys[-1], None)
            self._check(document)
        return self.snapshot

    def add_folder(self, folder: Path, switches: Mapping[str, object] = MappingProxyType({})) -> Settings:
        """Watch one more folder with the given `switches`; an already watched folder is not changed. Raises SettingsError."""
        root = typed_path(root_of(str(folder)))  # before the file is locked: a drive may hang
        with self._edited() as document:
            config_folders.add(self._folders(document), root, switches)
            self._check(document)
        return self.snapshot

    def change_folder(self, root: str, change: Mapping[str, object]) -> Settings:
        """Set the given values of a watched folder. Raises SettingsError, NotFound if it is not watched."""
        with self._edited() as document:
            config_folders.change(self._folders(document), root, change)
            self._check(document)
        return self.snapshot

    def check_folder(self, root: str, change: Mapping[str, object]) -> None:
        """Raise what `change_folder` would raise, without writing anything."""
        folder = next((known for known in self.snapshot.folders if known.root == root), None)
        if folder is None:
            raise NotFound
        validated({"folders": [{**folder.model_dump(mode="json"), **change}]})

    def rename_kept(self, name: str, new: str | None) -> bool:
        """Rename a person who stays visible in covered copies to `new`; None removes the name.

        Return False if the name does not occur. Raises SettingsError.
        """
        if not any(config_folders.keeps(folder.redact_keep, name) for folder in validated(self._profile(), self.raw()).folders):
            return False
        with self._edited() as document:
            config_folders.rename_kept(self._folders(document), name, new)
            self._check(document)
        return True

    def remove_folder(self, root: str) -> Settings:
        """Stop watching a folder. Raises SettingsError, NotFound if it is not watched."""
        with self._edited() as document:
            folders = self._folders(document)
            config_folders.remove(folders, root)
            if not folders:
                document["folders"] = []  # not omitted: a profile's folders would come back
            self._check(document)
        return self.snapshot

    def _folders(self, document: "TOMLDocument") -> Any:
        return config_folders.editable(document, lambda: validated(self._profile()).model_dump(mode="json")["folders"])

    def ensure(self) -> Path:
        """Return the file, created empty if missing. Raises SettingsUnwritable."""
        if not self.path.exists():
            with self._edited():
                pass
        return self.path

    async def watch(self, on_change: OnChange, on_error: OnError) -> None:
        """Until cancelled, report each new valid snapshot with the changed sections, and why a file was refused.

        A lost file counts as refused: SettingsGone. After a refused file the next valid one is reported even if nothing differs: the
        error is over.
        """
        await self._watch.run(self.snapshot, on_change, on_error)

    async def caught_up(self, limit_s: float = 10.0) -> None:
        """Wait until `watch` has reported what the file holds, so that a command meets the settings that the one before saved."""
        await self._watch.caught_up(limit_s)

    def _environment(self) -> Raw:
        return from_environment(self._environ)

    def _profile(self) -> Raw:
        if self.profile not in PROFILES:
            raise SettingsInvalid(key=PROFILE_VARIABLE, reason="one_of", choices=", ".join(PROFILES))
        return parsed((resource("config") / f"{self.profile}.toml").read_bytes())

    def _content(self) -> tuple[bytes, bool]:
        """Return the file's content, or the last one if the file is lost, and whether it is. Raises SettingsNoAccess."""
        text = self._read()
        if text.strip():
            return text, False
        last = self._text if self._text.strip() or self._copy is None else self._copy.read()
        return (last, True) if last.strip() else (text, False)

    def _read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise SettingsNoAccess from error

    def _located(self, error: SettingsError, text: bytes) -> SettingsError:
        """Add the parameter `line`, or `variable` if the environment is the cause."""
        key = error.params.get("key")
        if isinstance(key, str):
            if variable := self.overridden().get(key.partition("[")[0]):
                error.params.setdefault("variable", variable)
            elif line := line_of(text.decode("utf-8-sig", "replace"), key):
                error.params["line"] = line
        return error

    def _check(self, document: "TOMLDocument") -> None:
        """Validate the file's content, even values that the environment overrides."""
        validated(self._profile(), document.unwrap())
        validated(self._profile(), document.unwrap(), self._environment())

    @contextmanager
    def _edited(self) -> Iterator["TOMLDocument"]:
        """Yield the file as an editable document, written atomically at the end; one writer at a time, also among processes."""
        import tomlkit
        from filelock import FileLock, Timeout

        try:
            make_private(self.path.parent)
            with FileLock(self.path.with_name(self.path.name + ".lock"), timeout=5):
                text, _ = self._content()  # all that was lost comes back with the change
                parsed(text)  # to raise its error, which names the line
                document = tomlkit.parse(text.decode("utf-8-sig"))
                yield document
                # Resolved: a link to another file (dotfiles) stays a link.
                write_private(self.path.resolve(), tomlkit.dumps(document).encode())
        except (OSError, Timeout, StoreError) as error:
            raise SettingsUnwritable from error
        self.load()
        self._watch.nudge()
