/** A small client of Hetzner's API: finds servers, powers them on and off, and changes their type. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

export const accessSchema = z.strictObject({
  /** With `/v1`, without a slash at the end. */
  endpoint: z.url(),
  token: z.string().min(1),
});
export type Access = z.infer<typeof accessSchema>;

const serverSchema = z.object({
  id: z.number(),
  status: z.string(),
  labels: z.record(z.string(), z.string()).default({}),
  server_type: z.object({ name: z.string(), architecture: z.string() }),
  primary_disk_size: z.number(),
  public_net: z.object({ ipv4: z.object({ ip: z.string() }).nullable() }),
});
const typeSchema = z.object({
  name: z.string(),
  disk: z.number(),
  architecture: z.string(),
  locations: z.array(z.object({ name: z.string(), available: z.boolean() })).default([]),
});
const pageSchema = z.object({ meta: z.object({ pagination: z.object({ total_entries: z.number() }) }) });
/** Hetzner has some thirty types; a page may have 50 entries. */
const allTypes = "/server_types?per_page=50";
const actionSchema = z.object({
  id: z.number(),
  status: z.string(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});
const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export interface CloudServer {
  readonly id: number;
  /** `running`, `off`, or something between. */
  readonly status: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly type: string;
  /** Of its disk, which is that of the type that it was created with; no change of the type shrinks it. */
  readonly diskGb: number;
  /** `x86` or `arm`. */
  readonly architecture: string;
  readonly address: string | undefined;
}

/** What decides whether an existing server can get a type. */
export type TypeFacts = Pick<CloudServer, "diskGb" | "architecture">;

export interface ServerType extends TypeFacts {
  /** The locations in which Hetzner reports it as available. Only a hint: an order may fail or succeed anyway. */
  readonly locations: ReadonlySet<string>;
}

/** Hetzner's types of servers, by name. */
export type ServerTypes = ReadonlyMap<string, ServerType>;

/** Whether a server can get a type, as far as it is known: the type needs its architecture, and a disk that is at least as large. */
export const canGet = (server: TypeFacts, type: TypeFacts | undefined): boolean =>
  type === undefined || (type.diskGb >= server.diskGb && type.architecture === server.architecture);

/** A request that Hetzner refused; `code` is Hetzner's error code. */
export class Refusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "Refusal";
    this.code = code;
  }
}

export interface Hetzner {
  /** The server of that name; undefined when there is none. */
  readonly server: (name: string) => Promise<CloudServer | undefined>;
  readonly serverTypes: () => Promise<ServerTypes>;
  /** The id of an SSH key, given as OpenSSH has it; undefined when the project has none like it. */
  readonly sshKey: (publicKey: string) => Promise<string | undefined>;
  /** How many the project has of a kind: `servers`, `primary_ips`, `volumes`, `load_balancers`. */
  readonly count: (path: string) => Promise<number>;
  /** Runs an action on a server, and resolves when it is complete. @throws {Refusal} */
  readonly act: (id: number, command: string, body?: unknown) => Promise<void>;
}

/** Errors to retry: Hetzner is busy with the server, or the rate limit is reached. */
const passing = new Set(["locked", "conflict", "rate_limit_exceeded"]);
const tries = 8;
const secondsBetween = 1;

export function hetznerBy({ endpoint, token }: Access): Hetzner {
  async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      const answer = await ask(method, path, body);
      if (!(answer instanceof Refusal)) return answer;
      if (!passing.has(answer.code) || attempt === tries) throw answer;
      await sleep(attempt * 1000);
    }
  }

  async function ask(method: string, path: string, body: unknown): Promise<unknown> {
    const response = await fetch(endpoint + path, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
    const text = await response.text();
    if (response.ok) return text === "" ? {} : JSON.parse(text);
    const error = errorSchema.safeParse(readJson(text)).data?.error;
    return new Refusal(error?.code ?? String(response.status), error?.message ?? text.slice(0, 300));
  }

  return {
    server: async (name) => {
      const listed = z.object({ servers: z.array(serverSchema) });
      const [found] = listed.parse(await call("GET", `/servers?name=${encodeURIComponent(name)}`)).servers;
      if (!found) return undefined;
      const { id, status, labels, server_type: type, primary_disk_size: diskGb, public_net: net } = found;
      const { name: typeName, architecture } = type;
      return { id, status, labels, type: typeName, diskGb, architecture, address: net.ipv4?.ip };
    },
    serverTypes: async () => {
      const listed = z.object({ server_types: z.array(typeSchema) });
      const { server_types: all } = listed.parse(await call("GET", allTypes));
      return new Map(
        all.map((type) => [
          type.name,
          { diskGb: type.disk, architecture: type.architecture, locations: availableIn(type) },
        ]),
      );
    },
    sshKey: async (publicKey) => {
      const listed = z.object({ ssh_keys: z.array(z.object({ id: z.number() })) });
      const found = listed.parse(await call("GET", `/ssh_keys?fingerprint=${md5Fingerprint(publicKey)}`));
      return found.ssh_keys[0]?.id.toString();
    },
    count: async (path) => pageSchema.parse(await call("GET", `/${path}?per_page=1`)).meta.pagination.total_entries,
    act: async (id, command, body = {}) => {
      const answer = z.object({ action: actionSchema });
      let { action } = answer.parse(await call("POST", `/servers/${id}/actions/${command}`, body));
      while (action.status === "running") {
        await sleep(secondsBetween * 1000);
        ({ action } = answer.parse(await call("GET", `/actions/${action.id}`)));
      }
      if (action.error) throw new Refusal(action.error.code, action.error.message);
    },
  };
}

/** As Hetzner's API shows it: the MD5 of the key in pairs of hexadecimal digits. */
function md5Fingerprint(publicKey: string): string {
  const [, key = ""] = publicKey.trim().split(/\s+/);
  return createHash("md5")
    .update(Buffer.from(key, "base64"))
    .digest("hex")
    .replace(/..(?=.)/g, "$&:");
}

/** Whether an error says that Hetzner gave no answer, or none that can be read. */
export const isNoAnswer = (error: unknown): error is Error =>
  error instanceof Refusal ||
  error instanceof TypeError ||
  error instanceof DOMException ||
  error instanceof z.ZodError;

const availableIn = ({ locations }: z.infer<typeof typeSchema>): ReadonlySet<string> =>
  new Set(locations.flatMap(({ name, available }) => (available ? [name] : [])));

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
