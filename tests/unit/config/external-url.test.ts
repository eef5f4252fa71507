/** URLs of external services, as clients read them. */
import { normalDatabaseUrl, readExternalUrl, secretsOf, withoutPassword } from "../../../config/external-url.ts";

test("URLs are read as clients read them, and their passwords are known as they are written", () => {
  const text = "postgres+asyncpg://app:p%40ss%2Fword@db.example.com:80/shop?sslmode=require";
  const read = readExternalUrl(text);
  expect(read).toEqual({
    ...{ scheme: "postgresql", host: "db.example.com", port: 80, user: "app", password: "p@ss/word", database: "shop" },
    parameters: { sslmode: "require" },
  });
  expect(read && withoutPassword(read)).toBe("postgresql://app@db.example.com:80/shop?sslmode=require");
  expect(secretsOf(text)).toEqual(expect.arrayContaining(["p@ss/word", "p%40ss%2Fword"]));
  expect(["", "http://a/b", "postgresql://a:b c@/x y", "db.example.com"].map(readExternalUrl)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test.each([
  ["postgres://u:p@db.example.com/shop?sslmode=require", "postgresql://u:p@db.example.com/shop?sslmode=require"],
  ["postgresql://u:p@db.example.com/postgres", "postgresql://u:p@db.example.com/postgres"],
  ["postgres+psycopg://u@h/d", "postgresql+psycopg://u@h/d"],
])("containers get %s as %s", (text, expected) => {
  expect(normalDatabaseUrl(text)).toBe(expected);
});
