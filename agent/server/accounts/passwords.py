"""Passwords: which ones are accepted, and their argon2id hashes."""

import asyncio
import itertools
import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from agent.domain.errors import PasswordCommon, PasswordHoldsName, PasswordShort, TooManyAttempts

T = TypeVar("T")

LEAST: Final = 12
LONGEST: Final = 1_000  # as the API takes: the rest would not count
# OWASP's least for argon2id: 19 MiB, two passes, one thread.
MEMORY_KIB: Final = 19 * 1024
PASSES: Final = 2
AT_ONCE: Final = 2
MOST_WAITING: Final = 32
_BUSY_S: Final = 5

# What is left of common passwords of this length without their digits and signs.
_COMMON: Final = frozenset(
    word
    for line in (
        "password passwort passwd motdepasse contrasena senha secret changeme letmein login welcome welcometo iloveyou admin administrator",
        "root user test testtest default guest master aipopup popup qwerty qwertyuiop qwertz qwertzuiop azerty asdfghjkl zxcvbnm abcdef",
        "abc abcabc football baseball superman batman dragon monkey sunshine princess shadow trustno woaini wodemima mima",
    )
    for word in line.split()
)
_TELLING: Final = 4  # from this length on, a name may not even be a part
_FILLERS: Final = "0123456789 !?.-_"
_LEAST_DISTINCT: Final = 5


def checked(password: str, *names: str) -> str:
    """The password in its normal form (NFKC: the same on every keyboard), if it is accepted. `names` are the member's.

    Raises PasswordShort, PasswordHoldsName, PasswordCommon.
    """
    normal = normalised(password)
    if len(normal) < LEAST:
        raise PasswordShort(least=LEAST)
    folded = normal.casefold()
    for name in names:
        # A short name may be part of any sentence; then only its repetition is refused.
        word = unicodedata.normalize("NFKC", name).casefold()
        if word and word in folded and (len(word) >= _TELLING or not folded.replace(word, "").strip(_FILLERS)):
            raise PasswordHoldsName
    letters = "".join(each for each in folded if each.isalpha())
    if (
        letters in _COMMON
        or len(set(folded)) < _LEAST_DISTINCT
        or _runs(folded)
        or not {folded, folded.strip(_FILLERS)}.isdisjoint(_listed())
    ):
        raise PasswordCommon
    return normal


def normalised(password: str) -> str:
    """The form in which passwords are hashed."""
    return unicodedata.normalize("NFKC", password[:LONGEST])


@cache
def _listed() -> frozenset[str]:
    """Return the most common passwords of this length, in lower case. Raises OSError."""
    lines = Path(__file__).with_name("common_passwords.txt").read_text(encoding="ascii").splitlines()
    return frozenset(line for line in lines if not line.startswith("# "))


def _runs(text: str) -> bool:
    """Whether it is one run of neighbours, such as 123456789012 or abcdefghijkl."""
    steps = {ord(right) - ord(left) for left, right in itertools.pairwise(text)}
    return steps <= {1, -9} or steps <= {-1, 9}


class Passwords:
    """Hashes in threads, few at once because each needs 19 MiB; more than some that wait are refused with TooManyAttempts."""

    def __init__(self, *, memory_kib: int = MEMORY_KIB, passes: int = PASSES) -> None:
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._nobodys = self._hasher.hash(_bytes("nobody"))

    async def hash(self, password: str) -> str:
        """Raises TooManyAttempts."""
        return await self._in_turn(lambda: self._hasher.hash(_bytes(password)))

    async def matches(self, password: str, expected: str | None) -> bool:
        """Whether the password has that hash. None takes as long as a wrong password. Raises TooManyAttempts."""
        if expected is None:
            await self._in_turn(lambda: self._verify(self._nobodys, password))
            return False
        return await self._in_turn(lambda: self._verify(expected, password))

    def is_outdated(self, expected: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(expected)

    def _verify(self, expected: str, password: str) -> bool:
        try:
            return self._hasher.verify(expected, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _in_turn(self, work: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise TooManyAttempts(seconds=_BUSY_S)
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1


def _bytes(password: str) -> bytes:
    return normalised(password).encode("utf-8", "surrogatepass")
