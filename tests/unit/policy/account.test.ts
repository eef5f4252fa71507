import { accountNeeds, beyondAccount, hasOf } from "../../../policy/account.ts";
import { plan } from "../../../topology/plan.ts";
import { settingsOf } from "../support/settings.ts";

const planOf = (phase: "development" | "mvp" | "scale" | "enterprise" | "ha", values = {}) =>
  plan("prod", settingsOf(phase, values));

const counts = (needs: ReturnType<typeof accountNeeds>) => needs.map(({ what, count }) => `${count} ${what}`);

test("a local stack needs nothing of an account", () => {
  expect(accountNeeds([planOf("development")])).toEqual([]);
});

test("the needs of phase scale are those of its servers, and a new account has them", () => {
  const needs = accountNeeds([planOf("scale")]);
  expect(counts(needs)).toEqual([
    "5 servers",
    "5 primary IPs",
    "2 Volumes",
    "1 load balancers",
    "3 placement groups (of 10 servers)",
  ]);
  expect(beyondAccount(needs)).toEqual([]);
});

test("a new account has too few servers for phase enterprise", () => {
  expect(beyondAccount(accountNeeds([planOf("enterprise")]))).toEqual([
    { what: "servers", count: 9, usual: 5, allowed: null },
  ]);
});

test("a move that removes servers needs those of both sides at once, each once", () => {
  const [more, fewer] = [planOf("scale", { app: { servers: { count: 3 } } }), planOf("scale")];
  expect(counts(accountNeeds([more, fewer]))[0]).toBe("6 servers");
  expect(counts(accountNeeds([fewer, more]))[0]).toBe("6 servers");
});

test("what the stack says that its account has counts more than what is usual", () => {
  const [servers] = accountNeeds([planOf("enterprise")], { servers: 20, volumes: 1 });
  expect(servers).toMatchObject({ count: 9, usual: 5, allowed: 20 });
  const beyond = beyondAccount(accountNeeds([planOf("enterprise")], { servers: 20, volumes: 1 }));
  expect(beyond.map(hasOf)).toEqual(["This account has 1 Volume (orion:hetzner.limits)"]);
});
