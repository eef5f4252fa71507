"""Creates the tables: `python -m shop.schema`, as often as one likes."""

import os

import psycopg2

if __name__ == "__main__":
    with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bills (id serial PRIMARY KEY, who text NOT NULL, file text)")
