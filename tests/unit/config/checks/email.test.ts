/** What each e-mail backend needs. */
import { checkEmail } from "../../../../config/checks/email.ts";

test.each([
  ["console", []],
  ["smtp", ["email.smtpHost"]],
  ["sendgrid", ["emailApiKey"]],
  ["mailgun", ["email.mailgunDomain", "emailApiKey"]],
  ["ses", ["email.sesRegion", "email.sesAccessKeyId", "emailApiKey"]],
] as const)("the backend %s, of which nothing is set, lacks %j", (backend, keys) => {
  const found = checkEmail({ backend }, false);
  expect(found.map((problem) => problem.split(": ")[0])).toEqual(keys.map((key) => `orion:${key}`));
  for (const problem of found) expect(problem).toContain(`is needed when orion:email.backend is ${backend}; `);
});

test("what is set is not missing, and what another backend needs is not asked for", () => {
  expect(checkEmail({ backend: "smtp", smtpHost: "smtp.example.com" }, false)).toEqual([]);
  expect(checkEmail({ backend: "mailgun", mailgunDomain: "mg.example.com" }, true)).toEqual([]);
  expect(checkEmail({ backend: "sendgrid" }, true)).toEqual([]);
  expect(checkEmail({ backend: "ses", sesRegion: "eu-central-1" }, true)).toHaveLength(1);
});
