"""Tests of the background tasks through the API, the broker and a real worker."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx

from tests.conftest import Platform
from tests.servers import Server, free_port, python, run, wait_until
from tests.test_api import order


def test_products_are_inserted_and_updated(platform: Platform) -> None:
    feed = [{"sku": "t-1", "name": "Tea", "price_cents": 450, "stock": 3}]
    assert platform.task("import_letzshop_products", feed=feed)["result"] == {"products": 1}
    text = "sku,name,price_cents,stock\nt-1,Green tea,500,7\nt-2,Cup,900,1\n"
    key = platform.client.post("/uploads", files={"file": ("feed.csv", text, "text/csv")}).json()["key"]
    assert platform.task("import_letzshop_products", upload_key=key)["result"] == {"products": 2}
    assert platform.rows("SELECT sku, name, price_cents, stock FROM products ORDER BY sku") == [
        ("t-1", "Green tea", 500, 7),
        ("t-2", "Cup", 900, 1),
    ]


def test_marketplace_orders_are_placed_once(platform: Platform) -> None:
    feed = [{"id": uuid4().hex, "item": "cup", "quantity": 1, "email": "m@example.test"}]
    key = platform.client.post("/uploads", files={"file": ("o.json", json.dumps(feed))}).json()["key"]
    assert platform.task("import_letzshop_orders", upload_key=key)["result"] == {"rows": 1, "placed": 1}
    assert platform.task("import_letzshop_orders", feed=feed)["result"] == {"rows": 1, "placed": 0}


def test_a_bad_feed_fails_and_says_why(platform: Platform) -> None:
    state = platform.task("import_letzshop_products")
    assert state["state"] == "FAILURE"
    assert "give either `feed` or `upload_key`" in state["error"]


def test_emails_are_recorded(platform: Platform) -> None:
    number = platform.client.post("/orders", json=order()).json()["id"]
    assert platform.task("send_invoice_email", order_id=number)["result"]["sent"] is True
    assert platform.task("send_invoice_email", order_id=number)["result"]["sent"] is False
    assert platform.task("send_password_reset", email="r@example.test")["result"] == {"sent": True}
    assert platform.rows("SELECT kind FROM emails WHERE recipient = 'r@example.test'") == [("password_reset",)]
    assert "reset?token=" not in platform.worker.text()


def test_the_report_adds_up_the_day(platform: Platform) -> None:
    item = uuid4().hex
    for quantity in (2, 3):
        platform.client.post("/orders", json=order(item=item, quantity=quantity))
    result = platform.task("generate_sales_report")["result"]
    day = datetime.now(UTC).date().isoformat()
    lines = platform.client.get(f"/uploads/{result['file_key']}").text.splitlines()
    assert lines[0] == "item,orders,quantity,confirmed"
    assert any(line.startswith(f"{item},2,5,") for line in lines)
    assert platform.rows("SELECT orders, items FROM reports WHERE day = %s", day) == [
        (result["orders"], result["items"])
    ]


def test_expired_sessions_are_cleaned_up(platform: Platform) -> None:
    for name, age in (("old", "-1 hour"), ("fresh", "1 hour")):
        platform.rows(
            "INSERT INTO session_audit (session_hash, user_name, client, expires_at)"
            " VALUES ('h', %s, 'c', now() + %s::interval)",
            name,
            age,
        )
    assert platform.task("cleanup_expired_sessions")["result"]["deleted"] >= 1
    names = {row[0] for row in platform.rows("SELECT user_name FROM session_audit")}
    assert "fresh" in names
    assert "old" not in names


def test_stripe_without_a_key_says_so(platform: Platform) -> None:
    result = platform.task("sync_stripe_subscriptions")["result"]
    assert result == {"status": "skipped", "reason": "STRIPE_SECRET_KEY is not set"}


def test_unknown_tasks_are_refused(platform: Platform) -> None:
    answer = platform.operator.post("/tasks/format_disk")
    assert answer.status_code == 404
    assert "generate_sales_report" in answer.json()["detail"]


def test_strangers_start_no_task_and_learn_no_name(platform: Platform) -> None:
    paths = ["import_letzshop_orders", "format_disk"]
    wrong = {"Authorization": "Bearer t0ken-of-somebody-else"}
    answers = [platform.client.post(f"/tasks/{path}", headers=headers) for path in paths for headers in ({}, wrong)]
    answers.append(platform.client.get("/tasks/42"))
    assert [answer.status_code for answer in answers] == [401] * 5
    assert not any("letzshop" in answer.text or "report" in answer.text for answer in answers)


def test_without_a_token_the_task_api_is_closed(
    migrated: dict[str, str], tmp_path: Path, start: Callable[..., Server]
) -> None:
    port = free_port()
    environment = {name: value for name, value in migrated.items() if name != "TASK_API_TOKEN"}
    web = start("web-closed", python("-m", "uvicorn", "main:app", "--port", str(port)), environment)
    web.wait_for_port(port)
    url = f"http://127.0.0.1:{port}/tasks/send_password_reset"
    body = {"email": "r@example.test"}
    for headers in ({}, {"Authorization": "Bearer None"}, {"Authorization": "Bearer"}):
        assert httpx.post(url, json=body, headers=headers).status_code == 503
    web.stop()


def test_a_task_that_kills_its_worker_is_given_up(platform: Platform, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    celery = [sys.executable, "-m", "celery", "-A", "app.celery"]
    call = run([*celery, "call", "tests.poison", "--args", json.dumps([str(trace)])], platform.environment)
    assert call.returncode == 0, call.stderr
    task_id = call.stdout.strip()
    url = f"/tasks/{task_id}"
    wait_until(lambda: platform.operator.get(url).json()["state"] == "FAILURE", "the poison task to be given up", 60)

    def settled() -> bool:
        return "was started 3 times and never ended" in platform.operator.get(url).json().get("error", "")

    wait_until(settled, "the reason")
    assert trace.read_text() == "xxx"
    assert platform.task("cleanup_expired_sessions")["state"] == "SUCCESS"


def test_the_guides_tasks_are_on_their_queues_and_the_clean_up_is_due_every_hour(platform: Platform) -> None:
    code = """
import json
from datetime import timedelta
from app.celery import SCHEDULE, TASK_QUEUES, celery_app
celery_app.loader.import_default_modules()
routes = {task.split(".")[-1]: celery_app.amqp.router.route({}, task)["queue"].name for task in TASK_QUEUES}
known = all(entry["task"] in celery_app.tasks for entry in SCHEDULE.values())
cleanup = SCHEDULE["cleanup-expired-sessions"]["schedule"]
hourly = timedelta() < cleanup.remaining_estimate(cleanup.now()) <= timedelta(hours=1)
print(json.dumps([routes, known, hourly]))
"""
    done = run([sys.executable, "-c", code], platform.environment)
    assert done.returncode == 0, done.stderr
    routes, known, hourly = json.loads(done.stdout)
    assert routes == {
        "import_letzshop_products": "imports",
        "import_letzshop_orders": "imports",
        "send_order_confirmation": "emails",
        "send_password_reset": "emails",
        "send_invoice_email": "emails",
        "generate_sales_report": "reports",
        "cleanup_expired_sessions": "default",
        "sync_stripe_subscriptions": "default",
        "sweep_outbox": "default",
    }
    assert (known, hourly) == (True, True)


def test_the_guides_commands(platform: Platform) -> None:
    celery = [sys.executable, "-m", "celery", "-A", "app.celery"]
    for command in ("active", "reserved", "stats", "registered"):
        done = run([*celery, "inspect", command], platform.environment)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "app.tasks.send_invoice_email" in done.stdout
    shell = run(
        [sys.executable, "-c", "from app.core.database import engine; print(engine.connect())"], platform.environment
    )
    assert "sqlalchemy" in shell.stdout
