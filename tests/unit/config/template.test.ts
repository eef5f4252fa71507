/** Values of the stack's own variables that are made of others. */
import { filledIn, namesIn } from "../../../config/template.ts";
import { refusalOf, settingsOf } from "../support/settings.ts";

const values = {
  DATABASE_URL: "postgresql://orion_app:p%40ss@10.20.1.11/orion_db",
  ...{ OTHER: "postgres://u:p@h/d", DRIVER: "postgresql+psycopg://u:p@h/d", WRITTEN: "postgresql://u:p@h:6432/d" },
  PERCENT: "postgresql://u:100%@h/d",
  REDIS_URL: "rediss://app:x@cache:6381/0?ssl_cert_reqs=required",
};

test.each([
  ["postgresql+asyncpg://${DATABASE_URL#postgresql://}", "postgresql+asyncpg://orion_app:p%40ss@10.20.1.11/orion_db"],
  ["${DATABASE_URL.user} ${DATABASE_URL.password}", "orion_app p@ss"],
  ["${DATABASE_URL.host}:${DATABASE_URL.port}/${DATABASE_URL.name}", "10.20.1.11:5432/orion_db"],
  ["${REDIS_URL.host}:${REDIS_URL.port}/${REDIS_URL.name}", "cache:6381/0"],
  ["${OTHER.port} ${DRIVER.port} ${WRITTEN.port}", "5432 5432 6432"],
  ["$$ and $${REDIS_URL}", "$ and ${REDIS_URL}"],
  // As a provider wrote it: the sign encodes nothing.
  ["${PERCENT.password}", "100%"],
])("%s", (text, expected) => {
  expect(filledIn(text, values)).toBe(expected);
});

test("the variables of a value are known, and a part that no URL has is refused", () => {
  expect(namesIn("${DATABASE_URL.host} ${REDIS_URL}")).toEqual(["DATABASE_URL", "REDIS_URL"]);
  const environment = (text: string) => ({ app: { environment: { SERVER: text } } });
  expect(settingsOf("development", environment("${DATABASE_URL.host}")).app.environment).toEqual({
    SERVER: "${DATABASE_URL.host}",
  });
  expect(refusalOf({ phase: "development", ...environment("${DATABASE_URL.hots}") })).toContain(
    'orion:app.environment.SERVER: got "${DATABASE_URL.hots}", allowed: a part of a URL: user, password, host, port, name',
  );
});

test.each([
  ["${database_url}", "${database_url}"],
  ["before ${DATABASE_URL", "${DATABASE_URL"],
  ["${DATABASE-URL} after", "${DATABASE-URL}"],
])("%s is refused, for it would arrive as it is written", (text, misspelt) => {
  expect(refusalOf({ phase: "development", app: { environment: { SERVER: text } } })).toContain(
    `orion:app.environment.SERVER: got "${misspelt}", allowed: a variable such as \${DATABASE_URL}, in capitals; a dollar sign is $$`,
  );
});

test("a dollar sign is taken as it is where nothing is meant to be filled in", () => {
  const environment = { PRICE: "$5", LITERAL: "$${name}" };
  expect(settingsOf("development", { app: { environment } }).app.environment).toEqual(environment);
});
