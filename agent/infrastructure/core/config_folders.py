"""Edits of the watched folders in a settings file that is open as a document. `folders` is its editable list."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agent.domain.errors import NotFound
from agent.domain.names import tidy
from agent.infrastructure.core.settings import root_of
from agent.infrastructure.core.user_paths import comparable

if TYPE_CHECKING:
    from tomlkit import TOMLDocument


def editable(document: "TOMLDocument", profiles: Callable[[], Iterable[Mapping[str, object]]]) -> Any:
    """Return the editable list of watched folders. It replaces the profile's whole list, so it must include that."""
    import tomlkit

    if not document.get("folders"):
        folders = tomlkit.aot()
        if "folders" in document:
            del document["folders"]
        else:
            for known in profiles():
                folders.append(tomlkit.item(known))
        document["folders"] = folders
    return document["folders"]


def add(folders: Any, root: str, switches: Mapping[str, object]) -> None:
    """Add a folder, unless it is there."""
    import tomlkit

    if not any(comparable(_root(known)) == comparable(root) for known in folders):
        entry = {"path": root, **switches}
        folders.append(tomlkit.item(entry) if isinstance(folders, tomlkit.items.AoT) else entry)


def change(folders: Any, root: str, values: Mapping[str, object]) -> None:
    """Set values of a folder. Raises NotFound."""
    for known in _watched(folders, root):
        for name, value in values.items():
            known[name] = value


def remove(folders: Any, root: str) -> None:
    """Raises NotFound."""
    for known in _watched(folders, root):
        folders.remove(known)


def rename_kept(folders: Any, name: str, new: str | None) -> None:
    """Rename a person who stays visible in covered copies; None removes the name."""
    for known in folders:
        if keeps(known.get("redact_keep", ()), name):
            renamed = [new if _means(kept, name) else kept for kept in known["redact_keep"]]
            known["redact_keep"] = [kept for kept in dict.fromkeys(renamed) if kept is not None]


def keeps(names: Sequence[str], name: str) -> bool:
    """Return whether a person of this name is among those who stay visible."""
    return any(_means(kept, name) for kept in names)


def _means(kept: str, name: str) -> bool:
    return tidy(kept) == tidy(name)


def _watched(folders: Any, root: str) -> list[Any]:
    found = [known for known in folders if _root(known) == root]
    if not found:
        raise NotFound
    return found


def _root(known: Mapping[str, object]) -> str:
    return root_of(str(known.get("path", "")))
