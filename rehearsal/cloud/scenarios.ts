/** Scenarios: named sets of faults, such as an account that may have five servers. Pure. */
import { z } from "zod";
import { UserError } from "../../common/user-error.ts";
import { type Fault, faultSchema } from "../faults.ts";
import type { Json } from "../json.ts";

interface Scenario {
  /** What it is like. */
  readonly what: string;
  /** Its parameters, with an example or the default of each. */
  readonly words: string;
  readonly parameters: z.ZodType<Readonly<Record<string, string | number | undefined>>>;
  /** Its faults, as `make cloud-fault` takes them; values are those of the parameters. */
  readonly faults: (given: Readonly<Record<string, string | number | undefined>>) => readonly Json[];
}

const location = z.string().regex(/^[a-z]{3}\d?$/, "a location such as hel1");
const count = z.coerce.number().int().min(0);
const rate = z.coerce.number().positive().max(1);

/** Limits of an account, by the parameter that sets each. */
const limited = {
  servers: "server",
  primaryIps: "primary_ip",
  volumes: "volume",
  loadBalancers: "load_balancer",
} as const;

const scenarios: Readonly<Record<string, Scenario>> = {
  "sold-out": {
    what: "Hetzner has no server there, or none of a type: 'error during placement'",
    words: "location=hel1 [type=cx23]",
    parameters: z.strictObject({ location, type: z.string().optional() }),
    faults: ({ location: place, type }) => [
      { kind: "sold_out", locations: [place], ...(type !== undefined && { serverType: type }) },
    ],
  },
  closed: {
    what: "a location takes no new servers: 'server location disabled'; those that it has run on",
    words: "location=fsn1",
    parameters: z.strictObject({ location }),
    faults: ({ location: place }) => [{ kind: "closed", locations: [place] }],
  },
  "new-account": {
    what: "the account may have few servers, and of the rest what is said: 'server limit exceeded'",
    words: "[servers=5] [primaryIps=10] [volumes=5] [loadBalancers=1]",
    parameters: z.strictObject({
      servers: count.default(5),
      primaryIps: count.optional(),
      volumes: count.optional(),
      loadBalancers: count.optional(),
    }),
    faults: (given) =>
      Object.entries(limited).flatMap(([parameter, resource]) =>
        given[parameter] === undefined ? [] : [{ kind: "limit", resource, most: given[parameter] }],
      ),
  },
  "slow-boots": {
    what: "servers take long to be created and to start",
    words: "[seconds=90]",
    parameters: z.strictObject({ seconds: z.coerce.number().positive().max(3600).default(90) }),
    faults: ({ seconds }) =>
      ["create_server", "start_server", "reboot_server", "reset_server"].map((command) => ({
        ...{ kind: "action", command, seconds },
      })),
  },
  "flaky-api": {
    what: "a share of the calls of both APIs fails, with errors that clients are to try again; others are late",
    words: "[rate=0.1]",
    parameters: z.strictObject({ rate: rate.default(0.1) }),
    faults: ({ rate: share }) => [
      { kind: "reply", api: "hetzner", status: 502, message: "bad gateway", rate: share },
      { kind: "reply", api: "hetzner", status: 429, message: "limit reached", rate: share },
      { kind: "reply", api: "cloudflare", status: 500, message: "internal error", rate: share },
      { kind: "delay", api: "hetzner", seconds: 1, rate: share },
      { kind: "delay", api: "cloudflare", seconds: 1, rate: share },
    ],
  },
};

/** Usage text: every scenario with its parameters. */
export const scenarioUsage = Object.entries(scenarios)
  .map(([name, { words, what }]) => `  ${name} ${words}\n      ${what}`)
  .join("\n");

export const scenarioNames: readonly string[] = Object.keys(scenarios);

/** A scenario with its parameters, and the faults that it is made of. */
export interface Played {
  readonly name: string;
  /** @example "sold-out location=hel1" */
  readonly text: string;
  readonly faults: readonly Fault[];
}

/**
 * Reads scenarios from their names and parameters, separated by commas: `sold-out location=hel1, slow-boots`.
 *
 * @throws {UserError} when a scenario or a parameter is unknown, or a value is not valid
 */
export const parseScenarios = (text: string): Played[] => text.split(",").map((one) => parseScenario(one.trim()));

function parseScenario(text: string): Played {
  const [name = "", ...words] = text.split(/\s+/);
  const scenario = Object.hasOwn(scenarios, name) ? scenarios[name] : undefined;
  if (!scenario) {
    throw new UserError(`There is no scenario '${name}'; the scenarios and their parameters:\n${scenarioUsage}`);
  }
  const usage = `expected as in\n  ${name} ${scenario.words}`;
  const entries = words.map((word): [string, string] => {
    const [, key, value] = /^(\w+)=(.+)$/.exec(word) ?? [];
    if (key === undefined || value === undefined) throw new UserError(`Scenario ${name}: got '${word}', ${usage}`);
    return [key, value];
  });
  const { data, error } = scenario.parameters.safeParse(Object.fromEntries(entries));
  if (!data) throw new UserError(`Scenario ${name}: ${z.prettifyError(error)}\n${usage}`);
  const whole = [name, ...words].join(" ");
  return {
    name,
    text: whole,
    faults: scenario.faults(data).map((one) => faultSchema.parse({ ...one, scenario: whole })),
  };
}

/** The name of the scenario that a fault belongs to; undefined: none. */
export const scenarioOf = ({ scenario }: { readonly scenario?: string | undefined }): string | undefined =>
  scenario?.split(" ")[0];
