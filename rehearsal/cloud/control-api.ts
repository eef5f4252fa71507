/** The cloud's own API: status page, faults, quirks, image upload, deletion (`/` and `/rehearsal/...`). */
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { UserError } from "../../common/user-error.ts";
import { isQuirk, setQuirk } from "../cloudflare/quirks.ts";
import type { CloudflareObjects } from "../cloudflare/state.ts";
import type { Clock } from "../clock.ts";
import { type Faults, faultSchema } from "../faults.ts";
import type { Cloud } from "../hetzner/cloud.ts";
import type { Registry, RegistryObjects } from "../registry/registry.ts";
import type { Store } from "../store.ts";
import type { CallLog } from "./call-log.ts";
import type { ChangeLog } from "./change-log.ts";
import { commandFor } from "./commands.ts";
import { durationOf } from "./duration.ts";
import { formatFault } from "./fault-syntax.ts";
import { faultText, namesIn, resolveFaultTargets } from "./fault-targets.ts";
import { foreignSite } from "./own-site.ts";
import { pageHeaders, pageOf, updateHeaders, updateOf } from "./page/page.ts";
import { parseScenarios, scenarioNames, scenarioOf } from "./scenarios.ts";
import type { CloudSettings } from "./settings.ts";
import { type Status, statusOf } from "./status.ts";

export interface ControlApiDeps {
  readonly settings: () => CloudSettings;
  readonly cloud: Cloud;
  readonly store: Store<CloudflareObjects & RegistryObjects>;
  readonly faults: Faults;
  readonly clock: Clock;
  /** Lets time pass. @param milliseconds */
  readonly forward: (milliseconds: number) => Promise<void>;
  readonly calls: CallLog;
  readonly changes: ChangeLog;
  /** undefined: a cloud without machines. */
  readonly registry: Registry | undefined;
  /** Writes a line to the log. */
  readonly log: (line: string) => void;
  /** Called when a client requests the deletion of the cloud. */
  readonly onDown: () => void;
}

export function registerControlApi(app: FastifyInstance, deps: ControlApiDeps): void {
  void app.register((scope, _options, done) => {
    requireToken(scope, deps.settings().token);
    scope.setErrorHandler((error, _request, reply) => {
      const message = error instanceof Error ? error.message : String(error);
      return reply.code(error instanceof UserError ? 422 : 500).send({ error: message });
    });
    registerStatus(scope, deps);
    registerFaults(scope, deps);
    registerScenarios(scope, deps);
    registerTime(scope, deps);
    registerQuirks(scope, deps);
    registerImages(scope, deps);
    scope.post("/rehearsal/down", async (_request, reply) => {
      await reply.code(202).send({});
      deps.onDown();
    });
    done();
  });
}

/** Refuses requests from other sites and requests without the token. A token in the address is accepted for the page alone, which changes nothing. */
function requireToken(scope: FastifyInstance, token: string): void {
  scope.addHook("onRequest", (request, reply, next) => {
    const foreign = foreignSite(request.method, request.headers);
    const { token: given = "" } = z.object({ token: z.string().optional() }).catch({}).parse(request.query);
    const inAddress = request.method === "GET" && request.routeOptions.url === "/" ? given : "";
    if (foreign !== undefined) void reply.code(403).send({ error: `refused: ${foreign}` });
    else if (isToken(request.headers.authorization ?? `Bearer ${inAddress}`, token)) next();
    else void reply.code(401).send({ error: `the cloud's token is required: ${commandFor("status")} prints it` });
  });
}

function registerStatus(
  scope: FastifyInstance,
  { settings, cloud, store, faults, clock, calls, changes, registry }: ControlApiDeps,
): void {
  const status = (): Promise<Status> =>
    statusOf({
      settings: settings(),
      cloud,
      cloudflare: store,
      faults: faults.list(),
      clock,
      changes,
      calls,
      hasEdge: registry !== undefined,
    });
  const locations = cloud.catalogue.locations.map(({ name }) => name);
  scope.get("/", async (_request, reply) => {
    const nonce = randomBytes(16).toString("base64");
    return reply
      .headers(pageHeaders(nonce))
      .send(pageOf(await status(), { nonce, token: settings().token, locations }));
  });
  scope.get("/rehearsal/page", async (_request, reply) =>
    reply.headers(updateHeaders).send(updateOf(await status(), { locations })),
  );
  scope.get("/rehearsal/status", status);
}

function registerFaults(scope: FastifyInstance, { cloud, faults, changes, log }: ControlApiDeps): void {
  scope.get("/rehearsal/faults", () => ({ faults: faults.list() }));
  scope.post("/rehearsal/faults", async (request, reply) => {
    const { data, error } = faultSchema.safeParse(resolveFaultTargets(request.body, cloud));
    if (!data) return reply.code(422).send({ error: z.prettifyError(error) });
    const fault = await faults.add(data);
    log(`FAULT ${fault.id} added: ${formatFault(fault)}`);
    // It happens once, and is not stored.
    if (fault.kind === "killed") {
      const name = faultText(fault, namesIn(cloud.store));
      changes.add({ key: "", subject: "fault", name, verb: "has happened", tone: "bad", detail: null });
    }
    return reply.code(201).send({ fault });
  });
  scope.delete("/rehearsal/faults", async () => {
    const removed = await faults.remove();
    if (removed) log("FAULT all removed");
    return { removed };
  });
  scope.delete<{ Params: { id: string } }>("/rehearsal/faults/:id", async ({ params }, reply) => {
    const removed = await faults.remove(Number(params.id));
    if (removed) log(`FAULT ${params.id} removed`);
    return removed ? { removed } : reply.code(404).send({ error: `there is no fault ${params.id}` });
  });
}

function registerScenarios(scope: FastifyInstance, { faults, log }: ControlApiDeps): void {
  scope.post("/rehearsal/scenarios", async (request, reply) => {
    const { data } = z.strictObject({ scenarios: z.string() }).safeParse(request.body);
    if (!data)
      return reply.code(422).send({ error: 'expected a body such as {"scenarios": "sold-out location=hel1"}' });
    const played = parseScenarios(data.scenarios);
    for (const { text, faults: parts } of played) {
      // The same again with other parameters takes its place, but one place may be sold out beside another.
      await faults.removeEach(({ scenario }) => scenario === text);
      for (const part of parts) await faults.add(part);
      log(`SCENARIO ${text} begins`);
    }
    return reply.code(201).send({ scenarios: played.map(({ text }) => text) });
  });
  scope.delete<{ Params: { name?: string } }>(
    "/rehearsal/scenarios/:name",
    async ({ params: { name = "" } }, reply) => {
      if (name !== "all" && !scenarioNames.includes(name)) throw new UserError(`There is no scenario '${name}'`);
      const removed = await faults.removeEach((one) => {
        const own = scenarioOf(one);
        return own !== undefined && (name === "all" || own === name);
      });
      if (removed) log(`SCENARIO ${name} ends`);
      return removed ? { removed } : reply.code(404).send({ error: "it is not played at present" });
    },
  );
}

function registerTime(scope: FastifyInstance, { clock, forward, log }: ControlApiDeps): void {
  const shown = () => ({ time: clock.now().toISOString(), aheadMilliseconds: clock.ahead });
  scope.get("/rehearsal/time", shown);
  scope.post("/rehearsal/time", async (request, reply) => {
    const { data } = z.strictObject({ forward: z.string() }).safeParse(request.body);
    if (!data) return reply.code(422).send({ error: 'expected a body such as {"forward": "40d"}' });
    await forward(durationOf(data.forward));
    log(`TIME ${data.forward} have passed`);
    return shown();
  });
}

function registerQuirks(scope: FastifyInstance, { store }: ControlApiDeps): void {
  scope.put<{ Params: { name: string } }>("/rehearsal/quirks/:name", ({ params, body }, reply) => {
    const { data } = z.strictObject({ on: z.boolean() }).safeParse(body);
    if (!isQuirk(params.name) || !data) {
      return reply.code(422).send({ error: 'expected a known quirk and a body such as {"on": true}' });
    }
    setQuirk(store, params.name, data.on);
    return reply.send(data);
  });
}

function registerImages(scope: FastifyInstance, { store, registry }: ControlApiDeps): void {
  scope.post("/rehearsal/images", async (request, reply) => {
    const asked = z.strictObject({ image: z.string(), reference: z.string().optional() }).parse(request.body);
    if (!registry) return reply.code(422).send({ error: "a cloud without machines has no registry" });
    const { image, reference = image } = asked;
    await registry.push(image, reference);
    store.put("registry.image", reference, { reference });
    return reply.code(201).send({ registry: registry.address, digest: await registry.digest(reference) });
  });
}

function isToken(authorization: string, token: string): boolean {
  const [given, wanted] = [Buffer.from(authorization), Buffer.from(`Bearer ${token}`)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
