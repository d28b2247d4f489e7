"""Every table is either closed to members but for what is within their reach, or holds nothing of photos."""

from agent.domain import desk_path
from agent.infrastructure.core.access_scope import AccessScope, Root, current_scope, everything, reaching, shown_path
from agent.infrastructure.store import change_cursor
from agent.infrastructure.store.library_triggers import TALLY
from agent.infrastructure.store.row_security import FREE, POLICIES, RECORD, VIEWS, statements
from agent.infrastructure.store.schema import metadata

ROOTS = (Root("/srv/photos", "School"), Root("/srv/photos/press", "Press/press"), Root("C:\\Photos", "Clinic"))


def test_each_table_has_a_policy_or_is_free_and_none_is_both() -> None:
    tables = set(metadata.tables) | {"alembic_version"}
    assert {*POLICIES, *FREE, RECORD} == tables
    assert len(tables) == len(POLICIES) + len(FREE) + 1


def test_members_are_given_the_named_tables_and_views_alone() -> None:
    granted = [each for each in statements() if each.startswith("GRANT SELECT")]
    named = {name.strip() for each in granted for name in each.partition(" ON ")[2].partition(" TO ")[0].split(",")}
    assert named == {*POLICIES, *FREE, RECORD, *VIEWS, TALLY, change_cursor.TABLE}


def test_a_photo_that_stays_on_a_desk_is_shown_with_its_computer_and_never_its_desks_id() -> None:
    path = desk_path.desk_path("f" * 32, "studio / left", "0123456789abcdef" * 4)
    assert shown_path(path) == "studio   left/0123456789ab"
    with reaching(AccessScope(frozenset({1}))):
        assert shown_path(path) == "studio   left/0123456789ab"


def test_a_reach_holds_inside_and_can_be_lifted() -> None:
    assert current_scope() is None
    with reaching(AccessScope(frozenset({1}))):
        with everything():
            assert current_scope() is None
        assert current_scope() == AccessScope(frozenset({1}))
    assert current_scope() is None


def test_members_see_paths_below_their_librarys_name() -> None:
    assert shown_path("/srv/photos/a.jpg") == "/srv/photos/a.jpg"
    with reaching(AccessScope(frozenset({1}), roots=ROOTS)):
        assert shown_path("/srv/photos/2024/a.jpg") == "School/2024/a.jpg"
        assert shown_path("/srv/photos") == "School"
        assert shown_path("/srv/photos/press/a.jpg") == "Press/press/a.jpg"
        assert shown_path("C:\\Photos\\x\\a.jpg") == "Clinic/x/a.jpg"
        assert shown_path("/srv/photosets/a.jpg") == "a.jpg", "a folder whose name begins alike is another one"


def test_what_is_shown_leads_back_to_the_folder() -> None:
    reach = AccessScope(frozenset({1}), roots=ROOTS)
    assert reach.meant("School") == "/srv/photos"
    assert reach.meant("School/2024/may") == "/srv/photos/2024/may"
    assert reach.meant("Press/press/x") == "/srv/photos/press/x"
    assert reach.meant("/srv/photos") is None and reach.meant("Schools") is None and reach.meant("School/../../etc") is None
