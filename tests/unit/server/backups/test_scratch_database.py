"""A restored database beside the running one: nothing of a killed trial restore stays."""

from pathlib import Path

from agent.infrastructure.store.embedded_postgres import ADDRESS_FILE
from agent.server.backups.scratch_database import clear


def test_the_folder_of_a_killed_ones_socket_goes_with_it_and_no_other(tmp_path: Path) -> None:
    sockets, other, folder = tmp_path / "ai-popup-sockets-1", tmp_path / "other", tmp_path / "drill"
    for each in (sockets, other, folder):
        each.mkdir()
    for named, goes in ((other, False), (sockets, True)):
        folder.mkdir(exist_ok=True)
        (folder / ADDRESS_FILE).write_text(f"postgresql+psycopg://ai_popup:secret@/ai_popup?host={named}")
        clear(folder)
        assert not folder.exists() and named.exists() is not goes
