"""Each table moves with a library, or it is said why it does not."""

from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.store.schema import metadata
from agent.server.transfer.tables import COVER, MOVES, RECORD, STAYS


def test_each_table_moves_or_stays_for_a_reason() -> None:
    moves = {each.name for each in MOVES}
    assert moves | set(STAYS) == set(metadata.tables), "sort a new table into MOVES or STAYS of agent/server/transfer/tables.py"
    assert not moves & set(STAYS)


def test_each_number_that_moves_is_replaced() -> None:
    for moving in MOVES:
        numbers = {each.name for each in moving.table.columns if each.name.endswith("_id") and each.name not in moving.left}
        assert numbers == set(moving.refs), moving.name
        assert set(moving.key) | set(moving.paths) <= set(moving.columns), moving.name


def test_each_has_a_name_and_each_reason_a_sentence_in_both_languages() -> None:
    for texts in (Texts("en"), Texts("zh-CN")):
        for name in (*(each.name for each in MOVES), COVER, RECORD):
            assert texts(f"cli.move.tables.{name}") != f"cli.move.tables.{name}"
        for reason in set(STAYS.values()) - {RECORD}:
            assert texts(f"cli.move.stays.{reason}") != f"cli.move.stays.{reason}"
