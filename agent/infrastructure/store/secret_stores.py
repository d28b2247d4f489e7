"""The places for the key that opens the library's key file: the system's keyring, or a file only its owner can read."""

import os
import queue
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from agent.domain.errors import KeyFileUnsafe, KeyHomeError, KeyringAbsent, KeyringLocked, StoreError
from agent.infrastructure.core.files import store_error, sync_folder, write_private
from agent.infrastructure.core.observable import ChangeSignal
from agent.infrastructure.core.paths import make_private
from agent.infrastructure.core.settings import KeyHome

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "AI Popup"
# The system may ask the user for the keyring's password; with no user present, the call would never return.
KEYRING_LIMIT_S = 60.0
SLOW_S = 3.0
_MOVED = "moved"  # the file that says that the key was moved from one home to the other

WAITING = ChangeSignal()
"""The keyring has not answered for some seconds, perhaps because it asks for its password. Sent in the thread that waits."""

# Backends that keep secrets encrypted. Others lose them silently (null), refuse (fail) or write them in the clear.
_TRUSTED = frozenset(f"keyring.backends.{name}" for name in ("SecretService", "libsecret", "kwallet", "macOS", "Windows"))

T = TypeVar("T")
Reply: TypeAlias = tuple[T, None] | tuple[None, Exception]


class Home(Protocol):
    """Keeps one secret per library; `account` is the library's id."""

    def read(self, account: str) -> bytes | None:
        """The secret; None if there is none. Raises KeyHomeError."""
        ...

    def write(self, account: str, secret: bytes) -> None:
        """Store the secret. Raises KeyHomeError, StoreUnwritable, StoreDiskFull."""
        ...

    def forget(self, account: str) -> None: ...


def key_home(kind: KeyHome, folder: Path) -> Home:
    """The key home chosen in the settings; `folder` holds key files."""
    chosen = one_home(kind, folder)
    if not (folder / _MOVED).exists():
        return chosen
    return MigratingSecretStore(chosen, one_home(KeyHome.FILE if kind is KeyHome.KEYRING else KeyHome.KEYRING, folder))


def one_home(kind: KeyHome, folder: Path) -> Home:
    """That home alone, whatever another one still holds."""
    return KeyringSecretStore() if kind is KeyHome.KEYRING else FileSecretStore(folder)


def note_move(folder: Path) -> None:
    """From now on, secrets are looked for in both homes. Raises StoreUnwritable, StoreDiskFull."""
    make_private(folder)
    try:
        write_private(folder / _MOVED, b"")
    except OSError as error:
        raise store_error(error) from error


class MigratingSecretStore:
    """The chosen home, after the library's key moved there. Other secrets, whose accounts no home lists, follow when they are asked for."""

    def __init__(self, chosen: Home, other: Home) -> None:
        self._chosen, self._other = chosen, other

    def read(self, account: str) -> bytes | None:
        found = self._chosen.read(account)
        if found is None:
            with suppress(KeyringAbsent):  # one that is only locked may hold it
                found = self._other.read(account)
            if found is not None:
                self.write(account, found)
        elif isinstance(self._other, FileSecretStore):  # a keyring may ask for its password
            self._end_move(account, found)
        return found

    def end_move(self, account: str) -> None:
        """Delete a secret that a killed move left in the other home, too. Raises KeyHomeError, StoreError."""
        if (found := self._chosen.read(account)) is not None:
            self._end_move(account, found)

    def _end_move(self, account: str, found: bytes) -> None:
        with suppress(KeyHomeError, StoreError):
            if self._other.read(account) == found:
                self._other.forget(account)

    def write(self, account: str, secret: bytes) -> None:
        self._chosen.write(account, secret)
        with suppress(KeyHomeError, StoreError):  # the new secret is kept, and is what is read
            self._other.forget(account)

    def forget(self, account: str) -> None:
        with suppress(KeyringAbsent):
            self._other.forget(account)
        self._chosen.forget(account)


class FileSecretStore:
    """One file per library, 0600, in its own folder, 0700. Chosen explicitly, for machines without a keyring."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, account: str) -> bytes | None:
        path = self._path(account)
        try:
            _check_private(self._folder)
            _check_private(path)
            return bytes.fromhex(path.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        except ValueError:
            return None  # not a key: treated as missing, and the recovery code creates a new one
        except OSError as error:
            raise store_error(error) from error

    def write(self, account: str, secret: bytes) -> None:
        make_private(self._folder)
        try:
            write_private(self._path(account), secret.hex().encode("ascii"))
        except OSError as error:
            raise store_error(error) from error

    def forget(self, account: str) -> None:
        try:
            self._path(account).unlink(missing_ok=True)
            sync_folder(self._folder)
        except FileNotFoundError:
            pass  # the folder is missing too
        except OSError as error:
            raise store_error(error) from error

    def _path(self, account: str) -> Path:
        return self._folder / f"{account}.key"


class KeyringSecretStore:
    """The system's keyring, every call with a time limit. Backends that lose secrets or don't encrypt them are refused."""

    def __init__(self, backend: "KeyringBackend | None" = None, *, limit_s: float = KEYRING_LIMIT_S, slow_s: float = SLOW_S) -> None:
        """With `backend` None, the system's default is used. After `slow_s` without an answer, WAITING is sent."""
        self._backend = backend
        self._limit_s = limit_s
        self._slow_s = slow_s

    def read(self, account: str) -> bytes | None:
        found = self._call(lambda keyring: keyring.get_password(SERVICE, account))
        try:
            return None if found is None else bytes.fromhex(found)
        except ValueError:
            return None  # not our entry: treated as missing

    def write(self, account: str, secret: bytes) -> None:
        self._call(lambda keyring: keyring.set_password(SERVICE, account, secret.hex()))
        if self.read(account) != secret:
            raise KeyringAbsent

    def forget(self, account: str) -> None:
        if self.read(account) is not None:
            self._call(lambda keyring: keyring.delete_password(SERVICE, account))

    def _call(self, ask: Callable[["KeyringBackend"], T]) -> T:
        """Ask in a separate thread, which is abandoned if the keyring never answers: the call can't be interrupted."""
        replies: queue.SimpleQueue[Reply[T]] = queue.SimpleQueue()

        def run() -> None:
            try:
                replies.put((ask(self._backend or _system_backend()), None))
            except Exception as error:  # a backend may raise anything; `_meaning` sorts it
                replies.put((None, error))

        threading.Thread(target=run, name="keyring", daemon=True).start()
        try:
            value, error = self._awaited(replies)
        except queue.Empty:
            raise KeyringLocked from None
        if error is not None:
            raise _meaning(error) from error
        return value  # type: ignore[return-value]  # it is T when there is no error

    def _awaited(self, replies: "queue.SimpleQueue[Reply[T]]") -> "Reply[T]":
        soon = min(self._slow_s, self._limit_s)
        try:
            return replies.get(timeout=soon)
        except queue.Empty:
            WAITING.notify()
            return replies.get(timeout=self._limit_s - soon)


def _system_backend() -> "KeyringBackend":
    import keyring
    from keyring.backends.chainer import ChainerBackend

    chosen = keyring.get_keyring()
    candidates = chosen.backends if isinstance(chosen, ChainerBackend) else [chosen]
    for candidate in candidates:
        if type(candidate).__module__ in _TRUSTED:
            return candidate
    raise KeyringAbsent


def _meaning(error: Exception) -> KeyHomeError:
    from keyring.errors import InitError, NoKeyringError, PasswordSetError
    from keyring.errors import KeyringLocked as LockedByUser

    if isinstance(error, KeyHomeError):
        return error
    if isinstance(error, NoKeyringError):
        return KeyringAbsent()
    # A locked collection appears as any of these, depending on the backend and on whether the user dismissed the prompt.
    return KeyringLocked() if isinstance(error, InitError | LockedByUser | PasswordSetError) else KeyringAbsent()


def _check_private(path: Path) -> None:
    """Refuse paths that other users can read or enter. On Windows the user's profile keeps them out."""
    facts = path.stat()
    if os.name == "posix" and (facts.st_uid != os.geteuid() or stat.S_IMODE(facts.st_mode) & 0o077):
        raise KeyFileUnsafe(path=str(path))
