"""A line of the record, as commands show it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from agent.infrastructure.core.actor import HERE
from agent.infrastructure.core.i18n import Texts

if TYPE_CHECKING:
    from agent.interfaces.web.record_entry import RecordEntry


def record_line(texts: Texts, entry: "RecordEntry", names: Mapping[str, str]) -> str:
    """Return what a member did. `names` are sign-in names by id; a member without one, as one who was removed, is shown by id."""
    who = texts("cli.record.here") if entry.actor == HERE else names.get(entry.actor) or texts("cli.record.member", id=entry.actor)
    action = texts(key := f"record.actions.{entry.action}")
    words = [entry.action if action == key else action, *filter(None, [entry.detail])]
    facts = [f"{entry.id}", f"{entry.at.astimezone():%Y-%m-%d %H:%M:%S}", who, " ".join(words), f"{entry.number:,}"]
    return "  ".join([*facts, *filter(None, [names.get(entry.subject or "", entry.subject)])])
