/** What doctor says of an external service. */
import type { NotReached } from "../../../../../policy/external-service.ts";
import { readExternalUrl } from "../../../../../config/external-url.ts";
import { judged } from "../../../../../tools/doctor/checks/external.ts";
import { explain, isWarning } from "../../../../../tools/doctor/advice.ts";

const redis: NotReached = {
  url: readExternalUrl("rediss://a:b@r.example.com/1"),
  ...{ from: "server" as const, problem: "timeout", unasked: false },
};
const finding = (severity: "refused" | "danger", name: string) => ({
  severity,
  name,
  happens: "is wrong",
  instead: "mend it",
});

test("one service gets its own findings, the worst of which decides", () => {
  const asked = { redis: { brokerUrl: redis } };
  expect(judged("brokerUrl", asked, [finding("danger", "cache.latency")])).toEqual({ detail: "it could not be asked" });
  const both = judged("brokerUrl", asked, [finding("danger", "broker.latency"), finding("refused", "broker.policy")]);
  expect(both).toEqual({
    problem: "external-unfit",
    detail:
      "it could not be asked\nbroker.latency is wrong. Instead: mend it\nbroker.policy is wrong. Instead: mend it",
  });
  const { problem } = judged("brokerUrl", asked, [finding("danger", "broker.latency")]);
  expect(problem !== undefined && isWarning(problem)).toBe(true);
  expect(explain("external-unfit", "external broker", "STACK=prod").remedy).toContain("make check-external STACK=prod");
});
