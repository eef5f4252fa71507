"""The API: each order writes a row and starts a task."""

import os

import psycopg2
from fastapi import FastAPI

from shop.jobs import bill

api = FastAPI()


@api.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@api.post("/bills", status_code=201)
def create(who: str) -> dict[str, int]:
    with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO bills (who) VALUES (%s) RETURNING id", (who,))
        (number,) = cursor.fetchone()
    bill.delay(number, who)
    return {"number": number}


@api.get("/bills/{number}")
def read(number: int) -> dict[str, str | None]:
    with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT who, file FROM bills WHERE id = %s", (number,))
        who, file = cursor.fetchone()
    return {"who": who, "file": file}
