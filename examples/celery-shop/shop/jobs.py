"""Celery's application: two queues, of which none is called as usual, and every queue has to be declared."""

import os

from celery import Celery
from kombu import Queue

queue = Celery("shop", broker=os.environ["SHOP_BROKER"], backend=os.environ["SHOP_RESULTS"])
queue.conf.update(
    task_queues=(Queue("billing"), Queue("mail")),
    task_default_queue="mail",
    task_create_missing_queues=False,
    task_routes={"shop.jobs.bill": {"queue": "billing"}},
    beat_schedule={"remind": {"task": "shop.jobs.remind", "schedule": 5.0, "options": {"expires": 4}}},
    task_time_limit=int(os.environ["CELERY_TASK_TIME_LIMIT"]) if "CELERY_TASK_TIME_LIMIT" in os.environ else None,
)


@queue.task
def bill(number: int, who: str) -> str:
    """Writes an invoice into a folder of the image, and notes it in the database."""
    import psycopg2

    path = f"/srv/invoices/{number}.txt"
    with open(path, "w") as file:
        file.write(f"{who}\n")
    with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE bills SET file = %s WHERE id = %s", (path, number))
    return path


@queue.task
def remind() -> None:
    """Runs every five seconds, by Beat."""
