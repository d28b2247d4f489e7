"""A server's errors, as the store's: by what it says, without a server."""

import errno

import pytest
from sqlalchemy import exc

from agent.domain.errors import StoreBusy, StoreDamaged, StoreDiskFull, StoreError, StoreUnreachable, StoreUnwritable
from agent.infrastructure.store.dialects.postgresql import translated


class SaidByServer(Exception):
    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


def wrapped(state: str | None, kind: type[exc.DBAPIError] = exc.OperationalError) -> exc.DBAPIError:
    return kind("SELECT 1", None, SaidByServer(state))


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, StoreUnreachable),  # no connection
        ("08006", StoreUnreachable),
        ("25006", StoreUnreachable),
        ("28P01", StoreUnwritable),
        ("40P01", StoreBusy),
        ("53100", StoreDiskFull),
        ("53300", StoreBusy),
        ("55P03", StoreBusy),
        ("57014", StoreBusy),
        ("57P01", StoreUnreachable),
        ("58030", StoreUnwritable),
        ("XX001", StoreDamaged),
    ],
)
def test_what_the_server_says_is_told_as_the_store_does(state: str | None, expected: type[StoreError]) -> None:
    with pytest.raises(expected), translated():
        raise wrapped(state)


@pytest.mark.parametrize("state", ["23505", "42601"])
def test_a_defect_of_the_program_goes_up_as_it_is(state: str) -> None:
    with pytest.raises(SaidByServer), translated():
        raise wrapped(state, exc.ProgrammingError)


def test_a_pool_without_a_free_connection_and_a_full_disk_are_told_so() -> None:
    with pytest.raises(StoreBusy), translated():
        raise exc.TimeoutError
    with pytest.raises(StoreDiskFull), translated():
        raise OSError(errno.ENOSPC, "")
