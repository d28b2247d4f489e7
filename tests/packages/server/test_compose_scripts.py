"""What the composition's scripts do: the database of the first start, dumps that are whole, and backups that give everything back."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url

from agent.infrastructure.core.json_child import own_command
from agent.infrastructure.store.embedded_postgres import EmbeddedPostgres
from agent.infrastructure.store.postgres_programs import NEWEST, Programs, account

FOLDER = Path(__file__).parents[3] / "installers" / "server" / "compose"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tools of Debian")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A PostgreSQL with pgvector, as the variables by which its programs find it."""
    folder = tmp_path_factory.mktemp("postgres")
    server = EmbeddedPostgres(folder / "data", folder / "messages")
    programs = Programs(NEWEST, account())
    address = make_url(server.start())
    place = {"host": str(address.query["host"]), "password": str(address.password)}
    # As in the image: a superuser `postgres`, and nothing by the name of the program.
    with psycopg.connect(make_conninfo(**place, user=str(address.username), dbname="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE postgres SUPERUSER LOGIN PASSWORD '{address.password}'")
    with psycopg.connect(make_conninfo(**place, user="postgres", dbname="postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS ai_popup")
        connection.execute("ALTER ROLE ai_popup RENAME TO first")
        connection.execute("DROP ROLE IF EXISTS ai_popup_member")
    found = {"PGHOST": place["host"], "PGUSER": "postgres", "PGPASSWORD": place["password"]}
    yield {"PATH": f"{Path(programs['psql']).parent}:{os.environ['PATH']}", **found}
    server.stop()
    programs.forget()


def run(script: str, environment: Mapping[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["sh", FOLDER / script, *words], env=environment, capture_output=True, text=True, timeout=100, check=False)


def looping(script: str, environment: Mapping[str, str]) -> str:
    """Run a service as the composition does until it has said what became of its first turn."""
    with subprocess.Popen(["sh", FOLDER / script], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as service:
        assert service.stdout is not None
        said = ""
        for line in service.stdout:
            said += line
            if line.startswith(("backed up", "dumped", "the backup failed", "the dump failed")):
                break
        service.terminate()
    return said


def test_the_first_start_makes_a_database_that_the_server_migrates_without_a_superuser(postgres: dict[str, str], tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("w0rd'x")
    done = run("postgres/first_start.sh", {**postgres, "PASSWORD_FILE": str(secret)})
    assert done.returncode == 0, done.stderr
    place = make_conninfo(host=postgres["PGHOST"], dbname="ai_popup", user="ai_popup", password=secret.read_text())
    with psycopg.connect(place) as connection:
        found = connection.execute("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user").fetchone()
        assert found == (False, False)
    url = tmp_path / "url"
    url.write_text(f"postgresql://ai_popup:w0rd%27x@/ai_popup?host={postgres['PGHOST']}")
    own = {"AI_POPUP_HOME": str(tmp_path / "home"), "AI_POPUP__SERVER__DATABASE_FILE": str(url), "AI_POPUP__LIBRARY__KEY_HOME": "file"}
    done = subprocess.run(
        own_command("server", "migrate"), env={**os.environ, **own}, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    with psycopg.connect(place) as connection:
        assert connection.execute("SELECT count(*) FROM audit").fetchone() is not None

    # The dump is the superuser's: row security hides nothing from it.
    dumps, passwords = tmp_path / "dumps", tmp_path / "pgpass"
    dumps.mkdir()
    (tmp_path / "superuser").write_text(postgres["PGPASSWORD"])
    told = {"DUMPS": str(dumps), "PASSWORDS": str(passwords), "PASSWORD_FILE": str(tmp_path / "superuser"), "EVERY_HOURS": "24"}
    asking = {**{name: value for name, value in postgres.items() if name != "PGPASSWORD"}, **told, "PGDATABASE": "ai_popup"}
    assert run("backup/dump.sh", asking, "healthy").returncode != 0
    done = run("backup/dump.sh", asking, "once")
    assert done.returncode == 0, done.stderr
    assert run("backup/dump.sh", asking, "healthy").returncode == 0
    listed = subprocess.run(
        ["pg_restore", "--list", dumps / "library.dump"], env=postgres, capture_output=True, text=True, check=True, timeout=60
    )
    assert "TABLE DATA public audit" in listed.stdout
    # As the page says: into a database of the first start, on an empty host.
    with psycopg.connect(
        make_conninfo(host=postgres["PGHOST"], user="postgres", password=postgres["PGPASSWORD"]), autocommit=True
    ) as connection:
        connection.execute("DROP DATABASE ai_popup")
        connection.execute("CREATE DATABASE ai_popup OWNER ai_popup")
    restoring = ["pg_restore", "--dbname", "ai_popup", "--clean", "--if-exists", "--exit-on-error"]
    with (dumps / "library.dump").open("rb") as dump:
        restored = subprocess.run(restoring, env=postgres, stdin=dump, capture_output=True, text=True, timeout=100, check=False)
    assert restored.returncode == 0, restored.stderr
    with psycopg.connect(place) as connection:
        assert connection.execute("SELECT count(*) FROM audit").fetchone() is not None
    before = (dumps / "library.dump").read_bytes()
    assert run("backup/dump.sh", {**asking, "PGDATABASE": "missing"}, "once").returncode != 0
    assert (dumps / "library.dump").read_bytes() == before


def test_a_backup_gives_back_what_it_got(tmp_path: Path) -> None:
    source = tmp_path / "backup"
    for name, content in (
        ("dumps/library.dump", "rows"),
        ("home/config/keys/library.key", "key"),
        ("home/cache/models", "again"),
        ("uploads/2026-11/a.jpg", "photo"),
    ):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (tmp_path / "password").write_text("word")
    told = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "RESTIC_REPOSITORY": str(tmp_path / "repository"),
        "RESTIC_PASSWORD_FILE": str(tmp_path / "password"),
        "RESTIC_CACHE_DIR": str(tmp_path / "cache"),
        "SOURCE": str(source),
        "DONE_AT": str(tmp_path / "done"),
        "KEEP": "--keep-daily 14",
        "EVERY_HOURS": "24",
    }
    assert run("backup/restic.sh", told, "healthy").returncode != 0
    for _ in range(2):  # the second opens the repository of the first
        done = run("backup/restic.sh", told, "once")
        assert done.returncode == 0, done.stderr
    assert run("backup/restic.sh", told, "healthy").returncode == 0
    subprocess.run(
        ["restic", "restore", "latest", "--target", tmp_path / "restored"], env=told, check=True, capture_output=True, timeout=100
    )
    restored = tmp_path / "restored" / source.relative_to("/")
    assert (restored / "dumps/library.dump").read_text() == "rows"
    assert (restored / "home/config/keys/library.key").read_text() == "key"
    assert (restored / "uploads/2026-11/a.jpg").read_text() == "photo"
    assert not (restored / "home/cache").exists()
    done = run("backup/restic.sh", {**told, "RESTIC_REPOSITORY": "/proc/none"}, "once")
    assert done.returncode != 0
    (tmp_path / "done").unlink()
    assert "the backup failed" in looping("backup/restic.sh", {**told, "RESTIC_REPOSITORY": "/proc/none"})
    assert run("backup/restic.sh", told, "healthy").returncode != 0, "a backup that failed counts as none"
    assert looping("backup/restic.sh", told).endswith("backed up\n")


def test_a_dump_that_breaks_off_leaves_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "dumps").mkdir()
    (tmp_path / "password").write_text("word")
    old = tmp_path / "dumps/library.dump"
    old.write_text("whole")
    os.utime(old, (1, 1))
    tool = tmp_path / "bin/pg_dump"
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\nfor word; do case $word in --file=*) echo part >"${word#--file=}" ;; esac; done\nexit 1\n')
    tool.chmod(0o755)
    told = {"PATH": f"{tool.parent}:{os.environ['PATH']}", "DUMPS": str(old.parent), "PASSWORDS": str(tmp_path / "pgpass")}
    said = looping("backup/dump.sh", {**told, "PASSWORD_FILE": str(tmp_path / "password"), "EVERY_HOURS": "24"})
    assert said == "the dump failed; it is tried again\n" and old.read_text() == "whole"
