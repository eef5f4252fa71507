"""Tries what the credentials in its own environment allow, from inside a container of the platform's image.

Input and output are JSON. Nothing is kept: SQL is rolled back, and Redis' keys end after a minute or are deleted by the caller.
"""

import json
import os
import re
import sys
import urllib.error
import urllib.request
import uuid

asked = json.load(sys.stdin)
# Of a process that does not run now.
os.environ.update(asked["environment"])


def sorted_lists(result):
    return {key: sorted(value) if isinstance(value, list) else value for key, value in result.items()}


def connects(url, **more):
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=5, **more).close()
    except psycopg.OperationalError as error:
        return str(error)
    return None


def try_postgres(url):
    import psycopg

    refused = connects(url)
    if refused is not None:
        return {"may": [], "fails": [f"connect: {refused.strip().splitlines()[-1]}"]}
    may, fails = [], []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET lock_timeout = '2s'")
        user = connection.execute("SELECT session_user").fetchone()[0]
        for name, statement in asked["sql"].items():
            connection.execute("BEGIN")
            try:
                connection.execute(statement)
                may.append(name)
            except psycopg.Error as error:
                if error.sqlstate not in asked["refusedStates"]:
                    fails.append(f"{name}: {error.sqlstate}")
            connection.execute("ROLLBACK")
    databases = [name for name in asked["databases"] if connects(url, dbname=name) is None]
    if connects(url, replication="true") is None:
        databases.append("replication")
    # The server asks this user, at this address, for a password.
    asks = [
        role
        for role in asked["roles"]
        if role != user and not role.startswith("pg_") and "password authentication failed" in (connects(url, user=role, password="red-team") or "")
    ]
    plain = connects(url, sslmode="disable", channel_binding="disable") is None
    return sorted_lists({"user": user, "may": may, "fails": fails, "databases": databases, "asks": asks, "plain": plain})


def try_redis(url):
    import redis

    def client_of(source):
        return redis.Redis.from_url(source, socket_timeout=5, single_connection_client=True, decode_responses=True)

    client = client_of(url)
    user = client.execute_command("ACL", "WHOAMI")
    may = []
    for name, words in asked["redis"].items():
        try:
            client.execute_command(*words)
            may.append(name)
        except redis.exceptions.NoPermissionError:
            pass
        except redis.exceptions.ResponseError as error:
            # Switched off for everybody, which Redis says before it looks at rights; otherwise only the arguments were wrong.
            if "command not allowed" not in str(error):
                may.append(name)
    databases = []
    for number in range(16):
        try:
            client.execute_command("SELECT", number)
            databases.append(number)
        except redis.exceptions.ResponseError:
            pass
    client.close()
    without = []
    for name, source in {
        "without a login": re.sub(r"//.*@", "//", url),
        "as default": re.sub(r"//.*@", "//default:red-team@", url),
        "without TLS": url.split("?")[0].replace("rediss:", "redis:"),
    }.items():
        try:
            client_of(source).execute_command("PING")
            without.append(name)
        except redis.exceptions.RedisError:
            pass
    return sorted_lists({"user": user, "may": may, "databases": databases, "without": without})


def try_store(environment):
    import boto3
    import botocore.config
    import botocore.exceptions

    client = boto3.client(
        "s3",
        endpoint_url=environment["R2_ENDPOINT_URL"],
        aws_access_key_id=environment["R2_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["R2_SECRET_ACCESS_KEY"],
        region_name="auto",
        config=botocore.config.Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10),
    )
    own = environment["R2_BUCKET"]
    # A name that none has had: others try at the same time, and R2 locks backups.
    key = f"{environment.get('RED_TEAM_FOLDER', 'red-team')}/{uuid.uuid4()}"
    tries = {"create a bucket": lambda: client.create_bucket(Bucket="red-team")}
    for bucket in asked["buckets"]:
        at = {"Bucket": bucket, "Key": key}
        name = "own" if bucket == own else bucket
        tries |= {
            f"list {name}": lambda bucket=bucket: client.list_objects_v2(Bucket=bucket),
            f"write {name}": lambda at=at: client.put_object(**at, Body=b"red team"),
            f"read {name}": lambda at=at: client.get_object(**at),
            f"overwrite {name}": lambda at=at: client.put_object(**at, Body=b"again"),
            f"delete {name}": lambda at=at: client.delete_object(**at),
        }
    may, fails = [], []
    for name, attempt in tries.items():
        try:
            attempt()
            may.append(name)
        except botocore.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in ("AccessDenied", "403", "Forbidden"):
                fails.append(f"{name}: {code}")
    return sorted_lists({"may": may, "fails": fails})


def status_of(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def redis_server(url):
    """User and server: what they may do is the same in every logical database."""
    return re.sub(r"/\d+(\?.*)?$", "", url)


def found_redis():
    by_server = {}
    for variable, value in sorted(os.environ.items()):
        if value.startswith(("redis://", "rediss://")):
            by_server.setdefault(redis_server(value), []).append((variable, value))
    return {"+".join(name for name, _ in same): try_redis(same[0][1]) for same in by_server.values()}


def found_postgresql():
    urls = {name: value for name, value in os.environ.items() if value.startswith("postgresql://")}
    return {name: try_postgres(value) for name, value in sorted(urls.items())}


print(
    json.dumps(
        {
            "postgresql": found_postgresql(),
            "redis": found_redis(),
            "store": {"R2_ACCESS_KEY_ID": try_store(os.environ)} if "R2_ACCESS_KEY_ID" in os.environ else {},
            "flower": status_of("http://flower:5555/api/workers"),
        }
    )
)
