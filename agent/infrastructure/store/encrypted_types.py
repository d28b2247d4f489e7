"""Column types whose values are encrypted in a server's database, see `agent.infrastructure.store.column_encryption`; SQLCipher's file
stores them as
they are."""

import json
from abc import ABC, abstractmethod
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import JSON, Date, Dialect, LargeBinary, String, TypeDecorator
from sqlalchemy.types import TypeEngine

from agent.infrastructure.store.column_encryption import ColumnCipher, seals_of
from agent.infrastructure.store.columns import Name

V = TypeVar("V")


class Sealed(TypeDecorator[V], ABC):
    """`purpose` names the column: it is authenticated with each value."""

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = String
    cache_ok = True

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self.purpose = purpose

    def process_bind_param(self, value: V | None, dialect: Dialect) -> Any:
        seals = seals_of(dialect)
        return value if value is None or seals is None else self.seal(seals, value)

    def process_result_value(self, value: Any, dialect: Dialect) -> V | None:
        seals = seals_of(dialect)
        return value if value is None or seals is None else self.open(seals, value)

    @abstractmethod
    def seal(self, seals: ColumnCipher, value: V) -> str | bytes: ...

    @abstractmethod
    def open(self, seals: ColumnCipher, sealed: Any) -> V: ...


class EncryptedName(Sealed[str]):
    """A name by which rows are found, and which is unique. No database can order them: sort what was read."""

    impl = Name
    cache_ok = True

    def seal(self, seals: ColumnCipher, value: str) -> str:
        return seals.name(value, self.purpose)

    def open(self, seals: ColumnCipher, sealed: str) -> str:
        return seals.open_name(sealed, self.purpose)


class SealedText(Sealed[str]):
    """Text that no query looks for; `length` is its longest in a file."""

    cache_ok = True

    def __init__(self, purpose: str, length: int | None = None) -> None:
        super().__init__(purpose)
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String() if dialect.name == "postgresql" else String(self.length))

    def seal(self, seals: ColumnCipher, value: str) -> str:
        return seals.text(value, self.purpose)

    def open(self, seals: ColumnCipher, sealed: str) -> str:
        return seals.open_text(sealed, self.purpose)


class SealedDate(Sealed[date]):
    """A day that no query looks for: text in a server's database."""

    impl = Date
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String() if dialect.name == "postgresql" else Date())

    def seal(self, seals: ColumnCipher, value: date) -> str:
        return seals.text(value.isoformat(), self.purpose)

    def open(self, seals: ColumnCipher, sealed: str) -> date:
        return date.fromisoformat(seals.open_text(sealed, self.purpose))


class SealedJson(Sealed[Any]):
    """Any JSON value that no query looks into."""

    impl = JSON
    cache_ok = True

    def seal(self, seals: ColumnCipher, value: Any) -> str:
        return seals.text(json.dumps(value), self.purpose)

    def open(self, seals: ColumnCipher, sealed: str) -> Any:
        return json.loads(seals.open_text(sealed, self.purpose))


class SealedFace(Sealed[bytes]):
    """A picture of a face, or its embedding: workers read and write them, too."""

    impl = LargeBinary
    cache_ok = True

    def seal(self, seals: ColumnCipher, value: bytes) -> bytes:
        return seals.face(value, self.purpose)

    def open(self, seals: ColumnCipher, sealed: bytes) -> bytes:
        return seals.open_face(sealed, self.purpose)
