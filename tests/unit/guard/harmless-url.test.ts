/** URLs that look like those of external services, for the check of an image. */
import { harmlessUrl, urlsOf } from "../../../guard/harmless-url.ts";

test.each([
  ["postgresql://u:p@db.example.com/shop", "postgresql://check:check@127.0.0.1:5432/shop"],
  ["postgres://u:p@db.example.com:6543/shop", "postgresql://check:check@127.0.0.1:6543/shop"],
  ["postgresql+asyncpg://u:p@h/a%2Fb", "postgresql+asyncpg://check:check@127.0.0.1:5432/a%2Fb"],
  [
    "postgresql://u:p@h/d?sslmode=verify-full&sslrootcert=/etc/ca.crt&password=x&host=h&options=endpoint%3Dabc&keepalives=1",
    "postgresql://check:check@127.0.0.1:5432/d?sslmode=verify-full&sslrootcert=/etc/ca.crt&password=check&host=127.0.0.1&options=check&keepalives=1",
  ],
  ["rediss://u:p@h:6380/1?ssl_cert_reqs=required", "rediss://check:check@127.0.0.1:6380/1?ssl_cert_reqs=required"],
  ["a secret", undefined],
])("%s", (text, expected) => {
  expect(harmlessUrl(text)).toBe(expected);
});

test("URLs of the database are known whatever their drivers", () => {
  const at = "check:check@127.0.0.1:1";
  const environment = {
    ...{ A: `postgresql://${at}/shop`, B: `postgresql+asyncpg://${at}/shop?ssl=require`, C: `postgres://${at}/shop` },
    ...{ D: "postgresql+psycopg://check@127.0.0.1/shop", E: `postgresql://${at}/another`, F: `redis://${at}/shop` },
    ...{ G: "postgresql://check@db.example.com/shop", H: "shop", I: `mysql://${at}/shop` },
  };
  expect(urlsOf(environment.A, environment)).toEqual(["A", "B", "C", "D", "I"]);
  expect(urlsOf("", environment)).toEqual([]);
});
