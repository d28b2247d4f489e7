"""Steps that can be undone and redone, in any number and also after a restart: on a team server each member's own.

A step keeps the state before and after it, fact by fact (`agent.infrastructure.store.facts`). Undoing it restores every fact that is still
as
the step left it; facts that changed since, or whose subject is gone, stay as they are. So steps may be undone out of order, too.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, ScalarSelect, Table, delete, func, insert, select, update

from agent.domain.edits import EditStep
from agent.infrastructure.core.actor import actor
from agent.infrastructure.store import name_collisions
from agent.infrastructure.store.fact_values import Value
from agent.infrastructure.store.facts import KINDS, LOST, Key, chunks
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import album, face, image, person, undo_person
from agent.infrastructure.store.schema import undo as table

# The number of steps that can be undone: for single names, some megabytes.
KEPT = 10_000


class Journal:
    """Writes facts and remembers their previous state: one journal for each user action."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self._changes: list[dict[str, Any]] = []

    def set(self, fact: str, keys: Sequence[Key], value: Value) -> list[Key]:
        """Set facts. Returns the keys whose value changed."""
        kind, changed = KINDS[fact], list[Key]()
        for chunk in chunks(list(dict.fromkeys(keys))):
            was = kind.read(self._tx, chunk)
            others = [key for key in chunk if was.get(key) != value]
            if not others:
                continue
            kind.write(self._tx, others, value)
            before: dict[str, tuple[Value, list[Key]]] = {}
            for key in others:
                before.setdefault(repr(was.get(key)), (was.get(key), []))[1].append(key)
            self._changes += [{"fact": fact, "keys": same, "before": old, "after": value} for old, same in before.values()]
            changed += others
        return changed

    def made(self, fact: str, key: Key) -> None:
        """Record that the item did not exist before."""
        after = KINDS[fact].read(self._tx, [key])[key]
        self._changes.append({"fact": fact, "keys": [key], "before": None, "after": after})

    def lost(self, faces: Sequence[int]) -> None:
        """Record the faces whose embeddings are deleted with the step."""
        if faces:
            self._changes.append({"fact": LOST, "keys": list(faces), "before": None, "after": None})

    def close(self, action: str, count: int, now: datetime, *, person_id: int | None = None) -> EditStep:
        """Save the step. It has no token if nothing changed."""
        if not self._changes:
            return EditStep(action, 0, person_id=person_id)
        # After another action, undone steps can't be redone.
        self._tx.execute(delete(table).where(_own(), table.c.undone_at.is_not(None)))
        step = {
            "token": secrets.token_urlsafe(16),
            "actor": actor.get(),
            "at": now,
            "action": action,
            "number": count,
            "person_id": person_id,
            "changes": self._changes,
        }
        undo_id = add(self._tx, table, step)
        done = step_of(step)
        if named := done.people | self._of_albums():
            self._tx.execute(insert(undo_person), [{"undo_id": undo_id, "person_id": each} for each in sorted(named)])
        self._tx.execute(delete(table).where(table.c.id <= select(func.max(table.c.id) - KEPT).scalar_subquery()))
        return done

    def _of_albums(self) -> frozenset[int]:
        """The people that the changed albums are of."""
        albums = [change[side] for change in self._changes if change["fact"] == "album" for side in ("before", "after")]
        return frozenset(each for facts in albums if facts is not None for each in facts["people"])


def undo(tx: Connection, token: str | None, now: datetime) -> EditStep | None:
    """Undo the step with that token, or the latest.

    None if it is another member's, does not exist, was undone already, or if all of it changed since: what is named by its token can be
    undone once that is undone; the latest is dropped, so that the one before it is the latest.
    """
    step = _to_undo(tx, token)
    if step is None:
        return None
    turned = [_turn(tx, change, "after", "before") for change in reversed(step["changes"])]
    restored = {
        key: change["before"]["name"]
        for change in step["changes"]
        if change["fact"] == "person" and change["before"]
        for key in change["keys"]
    }
    name_collisions.settle(tx, restored)
    if not any(done for done, _ in turned):
        if token is None:
            tx.execute(delete(table).where(table.c.id == step["id"]))
        return None
    # Each moment must be unique: the last step undone is redone first.
    last = tx.scalar(select(func.max(table.c.undone_at)))
    undone_at = now if last is None or now > last else last + timedelta(microseconds=1)
    tx.execute(update(table).where(table.c.id == step["id"]).values(undone_at=undone_at))
    return replace(step_of(step), partly=any(others for _, others in turned))


def do_again(tx: Connection) -> EditStep | None:
    """Redo the last undone step. None if there is none, or if all of it changed since: it is dropped, so that the next one is the last."""
    step = _to_do_again(tx)
    if step is None:
        return None
    turned = [_turn(tx, change, "before", "after") for change in step["changes"]]
    if not any(done for done, _ in turned):
        tx.execute(delete(table).where(table.c.id == step["id"]))
        return None
    tx.execute(update(table).where(table.c.id == step["id"]).values(undone_at=None))
    return step_of(step)


def about(tx: Connection, token: str | None, *, again: bool = False) -> Mapping[Table, frozenset[int]]:
    """Return what the step that would be undone, or done `again`, changes: rows of these tables, by their ids.

    Of a step that changes who faces are, these are the faces: its people may be seen on no photo since.
    """
    row = _to_do_again(tx) if again else _to_undo(tx, token)
    if row is None:
        return {}
    step, images, albums = step_of(row), set[int](), set[int]()
    for change in row["changes"]:
        match change["fact"]:
            case "hidden" | "favourite":
                images |= set(change["keys"])
            case "album":
                albums |= set(change["keys"])
            case "in_album":
                albums |= {key[0] for key in change["keys"]}
    found = {face: step.faces, person: step.people if not step.faces else (), image: images, album: albums}
    return {each: frozenset(ids) for each, ids in found.items() if ids}


def steps(tx: Connection) -> tuple[EditStep | None, EditStep | None]:
    """Return the steps that would be undone and redone."""
    back, again = (
        EditStep(row.action, row.number) if (row := tx.execute(select(table.c.action, table.c.number).where(which)).first()) else None
        for which in (table.c.id == _newest(), table.c.undone_at == _last_undone())
    )
    return back, again


def erase(tx: Connection, people: Iterable[int]) -> int:
    """Delete every step that names one of these people. Returns the number of deleted steps."""
    of_them = select(undo_person.c.undo_id).where(undo_person.c.person_id.in_(list(people)))
    return tx.execute(delete(table).where(table.c.id.in_(of_them))).rowcount


def step_of(row: Mapping[str, Any] | RowMapping) -> EditStep:
    """The faces and people in a step's changes."""
    faces, people = set[int](), {row["person_id"]} - {None}
    for change in row["changes"]:
        match change["fact"]:
            case "who":
                faces |= set(change["keys"])
                people |= {value[0] for value in (change["before"], change["after"]) if value is not None}
            case "not":
                faces |= {key[0] for key in change["keys"]}
                people |= {key[1] for key in change["keys"]}
            case "unseen":  # the faces' own naming affects them anyway
                people |= {key[1] for key in change["keys"]}
            case "team":
                people |= {value for value in (change["before"], change["after"]) if value is not None}
            case "reference":
                held = [value for value in (change["before"], change["after"]) if value is not None]
                faces |= {value["face"] for value in held}
                people |= {value["person"] for value in held}
            case "ignored" | "lost":
                faces |= set(change["keys"])
            case "hidden" | "favourite" | "album" | "in_album":
                pass  # an image's, or an album's: no face is seen otherwise
            case _:
                people |= set(change["keys"])
    return EditStep(row["action"], row["number"], frozenset(faces), frozenset(people), row["token"], row["person_id"])


def _own() -> ColumnElement[bool]:
    return table.c.actor == actor.get()


def _to_undo(tx: Connection, token: str | None) -> RowMapping | None:
    which = table.c.token == token if token is not None else table.c.id == _newest()
    return tx.execute(select(table).where(_own(), which, table.c.undone_at.is_(None))).mappings().one_or_none()


def _to_do_again(tx: Connection) -> RowMapping | None:
    return tx.execute(select(table).where(table.c.undone_at == _last_undone())).mappings().first()


def _newest() -> ScalarSelect[int]:
    return select(func.max(table.c.id)).where(_own(), table.c.undone_at.is_(None)).scalar_subquery()


def _last_undone() -> ScalarSelect[datetime]:
    """The moment, which is a step's own."""
    return select(func.max(table.c.undone_at)).where(_own()).scalar_subquery()


def _turn(tx: Connection, change: dict[str, Any], found: str, wanted: str) -> tuple[int, int]:
    """Return how many facts were turned, and how many stay because they are neither as the step left them nor as they were before."""
    kind = KINDS[change["fact"]]
    keys = [tuple(key) if isinstance(key, list) else key for key in change["keys"]]
    turned = others = 0
    for chunk in chunks(keys):
        now = kind.read(tx, chunk)
        others += sum(now.get(key) not in (change[found], change[wanted]) for key in chunk)
        if still := [key for key in chunk if now.get(key) == change[found]]:
            kind.write(tx, still, change[wanted])
            after = kind.read(tx, still)
            turned += sum(after.get(key) != change[found] for key in still)
    return turned, others
