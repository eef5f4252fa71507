/** What is said of every external service: one that does not answer, and times. */
import { lineOf } from "../../../policy/findings.ts";
import { median, type NotReached, ofNotReached, ofTimes, shown } from "../../../policy/external-service.ts";
import { databaseFacts, urlOf, verified } from "../support/external.ts";

const said = (facts: NotReached) =>
  ofNotReached("database", "databaseUrl", facts).map((one) => `${one.severity} ${lineOf(one)}`);

test.each<[string, string, RegExp]>([
  ["no URL", "", /^refused database\.connection orion:databaseUrl is no URL/],
  ["a firewall", "timeout expired", /^refused .*let its firewall admit/],
  ["a password", 'FATAL:  password authentication failed for user "app"', /^refused .*%40/],
  ["a name", 'could not translate host name "x"', /^refused .*check the host name/],
  ["a certificate", "SSL error: certificate verify failed", /^refused .*sslrootcert/],
])("a service that does not answer: %s", (_, problem, expected) => {
  const facts = { url: problem === "" ? undefined : urlOf(verified), from: "server", problem, unasked: false } as const;
  expect(said(facts)).toEqual([expect.stringMatching(expected)]);
});

test("before the stack has servers, a firewall may be as it should be; what nobody asked stops nothing", () => {
  const facts = { url: urlOf(verified), from: "machine", problem: "timeout expired", unasked: false } as const;
  expect(said(facts)).toEqual([expect.stringMatching(/^danger .*from this machine/)]);
  expect(said({ ...facts, problem: "password authentication failed" })[0]).toMatch(/^refused/);
  expect(said({ ...facts, problem: "no Docker", unasked: true })).toEqual([
    expect.stringMatching(/^danger .*was not asked: no Docker/),
  ]);
});

test("times: measured from the app's server or from this machine, for people to read", () => {
  const times = { ...databaseFacts(), from: "machine", roundMs: [7, 9, 8] } as const;
  expect(ofTimes("cache", "Redis", times).map(lineOf)).toEqual([
    expect.stringMatching(/^cache\.latency a round trip from this machine, .* takes 8\.0 ms/),
  ]);
  expect([shown(1840), shown(21.4), shown(0.25), median([3, 1, 2]), median([])]).toEqual([
    ...["1.8 s", "21 ms", "0.3 ms"],
    ...[2, 0],
  ]);
});
