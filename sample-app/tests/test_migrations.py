"""Tests of migrations and seed data."""

import subprocess

import psycopg

from tests.servers import PROJECT, python, run


def _database(environment: dict[str, str], name: str) -> dict[str, str]:
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    # A migration gets the database URL only.
    base = environment["DATABASE_URL"].rpartition("/")[0]
    return {"PATH": environment["PATH"], "DATABASE_URL": f"{base}/{name}"}


def test_two_runners_do_not_collide(environment: dict[str, str]) -> None:
    target = _database(environment, "race")
    command = python("-m", "alembic", "upgrade", "head")
    options = {"cwd": PROJECT, "env": target, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    runners = [subprocess.Popen(command, **options) for _ in range(3)]
    outputs = [runner.communicate(timeout=60)[0] for runner in runners]
    assert [runner.returncode for runner in runners] == [0, 0, 0], outputs
    assert sum("Running upgrade" in output for output in outputs) == 1


def test_models_and_migrations_agree_and_go_back(environment: dict[str, str]) -> None:
    target = _database(environment, "agree")
    for arguments in (["upgrade", "head"], ["check"], ["downgrade", "base"], ["upgrade", "head"]):
        done = run(python("-m", "alembic", *arguments), target)
        assert done.returncode == 0, done.stdout + done.stderr


def test_seed_can_be_repeated_and_respects_changes(environment: dict[str, str]) -> None:
    target = _database(environment, "seed")
    assert run(python("-m", "alembic", "upgrade", "head"), target).returncode == 0
    seed = python("scripts/seed/init_production.py")
    assert "feature_flags: 3 added, 0 already there" in run(seed, target).stdout
    with psycopg.connect(target["DATABASE_URL"]) as connection:
        connection.execute("UPDATE feature_flags SET enabled = true")
    assert "feature_flags: 0 added, 3 already there" in run(seed, target).stdout
    with psycopg.connect(target["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT bool_and(enabled) FROM feature_flags").fetchone() == (True,)
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (1,)
