/** The variables of the app that a stack may set, and what their values may contain. */
import { checkEnvironment } from "../../../../config/checks/environment.ts";
import { settingsOf } from "../../support/settings.ts";

const mvp = settingsOf("mvp");
const problems = (environment: Readonly<Record<string, string>>, secrets: readonly string[] = [], enabled = true) =>
  checkEnvironment({
    ...mvp,
    app: { ...mvp.app, environment, secrets: [...secrets] },
    workers: { ...mvp.workers, enabled },
  });

test("nothing, and variables of the app's own, are no problem", () => {
  expect(problems({})).toEqual([]);
  expect(problems({ MODE: "fast", URL: "${DATABASE_URL.host}:${API_KEY}$$", EMPTY: "" }, ["API_KEY"])).toEqual([]);
});

test("a variable that the program sets is refused with what sets it, and without the value", () => {
  const [problem = "", ...more] = problems({ DATABASE_URL: "postgresql://u:p4ssw0rd@h/d" });
  expect(more).toEqual([]);
  expect(problem).toContain('orion:app.environment.DATABASE_URL: got "a value"');
  expect(problem).toContain("use the secret orion:databaseUrl");
  expect(problem).not.toContain("p4ssw0rd");
  expect(problems({}, ["SECRET_KEY"])[0]).toContain("orion:app.secrets.SECRET_KEY: ");
  // Variables of a process are upper case: another case is another variable.
  expect(problems({ database_url: "x" })).toEqual([]);
});

test("a value contains variables that are set; what was probably meant is said", () => {
  expect(problems({ URL: "${DATABASE_ULR}" })).toEqual([
    'orion:app.environment.URL: got "${DATABASE_ULR}", allowed: variables that the program sets, and orion:app.secrets; ' +
      "did you mean DATABASE_URL?; a dollar sign is $$",
  ]);
  expect(problems({ URL: "${QUITE_ANOTHER_THING}" })[0]).not.toContain("did you mean");
  // Another variable of the stack's is not filled in, and one of a single process has no value that all share.
  expect(problems({ A: "${B}", B: "x" })).toHaveLength(1);
  expect(problems({ A: "${INSTANCE_NAME}" })).toHaveLength(1);
});

test("variables of Celery are there with Celery only", () => {
  expect(problems({ BROKER: "${CELERY_BROKER_URL}" })).toEqual([]);
  expect(problems({ BROKER: "${CELERY_BROKER_URL}" }, [], false)).toHaveLength(1);
});

test.each([
  ["${database_url}", "in capitals"],
  ["${DATABASE_URL", "a variable such as"],
  ["${DATABASE_URL.hots}", "a part of a URL: user, password, host, port, name"],
])("%s is refused: %s", (text, expected) => {
  const found = problems({ ONE: text });
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(expected);
});

test("a name is an open variable or a secret, not both", () => {
  expect(problems({ API_KEY: "x" }, ["API_KEY"])).toEqual([
    "orion:app.environment.API_KEY: is set in orion:app.secrets as well; leave one of them out",
  ]);
});
