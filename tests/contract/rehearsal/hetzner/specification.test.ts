/** A way through every call that the emulated Hetzner Cloud serves, each reply held against the real API's document. */
import { records } from "../../../../rehearsal/cloudflare/body.ts";
import { ownCertificate } from "../support/certificate.ts";
import { HetznerApi, specification } from "../support/hetzner.ts";
import type { Route } from "../support/openapi.ts";
import { commands, kinds, lookups, making, type Step, undoing } from "./tour.ts";

jest.setTimeout(60_000);
const whereSpecified = specification ? test : test.skip;
let served: readonly Route[] = [];

test("every kind of resource is made, shown, changed, commanded and deleted", async () => {
  const api = new HetznerApi();
  const walk = async (...steps: readonly Step[]) => {
    for (const step of steps) await api.do(...step);
  };
  await walk(...making(await ownCertificate("probe.example.com")), ...lookups, ...commands);
  for (const [path, { hasActions }] of Object.entries(kinds)) {
    await walk(["GET", `/${path}`], ["GET", `/${path}/1`], ["PUT", `/${path}/1`, { labels: { round: "2" } }]);
    if (!hasActions) continue;
    const { actions } = await api.do("GET", `/${path}/1/actions`);
    if (hasActions === "none") {
      await walk(["GET", `/${path}/actions`]);
      continue;
    }
    const id = String(records(actions)[0]?.["id"]);
    await walk(["GET", `/${path}/actions`], ["GET", `/${path}/actions/${id}`], ["GET", `/${path}/1/actions/${id}`]);
    await walk(["GET", `/actions/${id}`], ["GET", `/actions?id=${id}`]);
  }
  await walk(...undoing);
  for (const path of Object.keys(kinds).filter((one) => one !== "servers")) await api.do("DELETE", `/${path}/1`);
  served = api.routes;
  expect(api.failures).toEqual([]);
});

whereSpecified("every call that is served is one of the real API, and its success was validated", () => {
  expect(served.length).toBeGreaterThan(100);
  expect(served.filter((route) => !specification?.has(...route))).toEqual([]);
  // An action of these there never is.
  const ofNone = /^\/(certificates|images)\/.*actions\/(:\w+|retry)$/;
  const expected = served.filter(([, path]) => !ofNone.test(path));
  expect(expected.filter((route) => !specification?.isValidated(...route))).toEqual([]);
});

whereSpecified("every listed deviation still happens", () => {
  expect(specification?.needless.map(({ reason }) => reason)).toEqual([]);
});
