/**
 * Times of single calls of a rehearsal cloud without machines, in milliseconds. Clouds of two versions are measured in turns,
 * call by call, so that whatever else this machine does slows both of them alike.
 */
import { createHash } from "node:crypto";
import { records } from "../rehearsal/cloudflare/body.ts";
import { isRecord } from "../common/record.ts";
import { sign, type Key } from "../common/s3-signature.ts";
import { median } from "./table.ts";
import { timed } from "./timed.ts";

/** A cloud with R2's S3 interface: what its settings.json has. */
export interface Measurable {
  readonly port: number;
  readonly token: string;
  readonly accountId: string;
}

/** Milliseconds of each call of one cloud, by its name. */
export type CallTimes = ReadonlyMap<string, number>;

const servers = 20;
const dnsRecords = 50;
const bucket = "bench";

class Caller {
  readonly #cloud: Measurable;
  #key: Key = { id: "", secret: "" };
  #zone = "";

  constructor(cloud: Measurable) {
    this.#cloud = cloud;
  }

  async #call(method: string, path: string, body?: unknown): Promise<Readonly<Record<string, unknown>>> {
    const response = await fetch(`http://127.0.0.1:${this.#cloud.port}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#cloud.token}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    const answer: unknown = text === "" ? {} : JSON.parse(text);
    return isRecord(answer) ? answer : {};
  }
  readonly #hetzner = (method: string, path: string, body?: unknown) => this.#call(method, `/hetzner/v1${path}`, body);
  readonly #cloudflare = (method: string, path: string, body?: unknown) =>
    this.#call(method, `/client/v4${path}`, body);

  async #s3(method: string, path: string, body: Buffer = Buffer.alloc(0)): Promise<void> {
    const url = new URL(`http://127.0.0.1:${this.#cloud.port + 1}/${bucket}${path}`);
    const signed = sign(method, url, body, this.#key, "auto", new Date());
    const response = await fetch(url, {
      method,
      headers: signed.headers,
      ...(body.length > 0 && { body: new Uint8Array(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  }

  /** Fills the cloud. */
  async prepare(): Promise<void> {
    const { accountId } = this.#cloud;
    await this.#hetzner("POST", "/networks", { name: "net", ip_range: "10.0.0.0/16" });
    for (let number = 1; number <= servers; number++) {
      const asked = { name: `server-${number}`, server_type: "cx23", image: "debian-12", labels: { role: "app" } };
      await this.#hetzner("POST", "/servers", asked);
    }
    const [zone] = records((await this.#cloudflare("GET", "/zones"))["result"]);
    this.#zone = `/zones/${String(zone?.["id"])}/dns_records`;
    for (let number = 1; number <= dnsRecords; number++) await this.#record(`filled-${number}`);
    await this.#cloudflare("POST", `/accounts/${accountId}/r2/buckets`, { name: bucket });
    const groups = records((await this.#cloudflare("GET", "/user/tokens/permission_groups"))["result"]);
    const id = groups.find(({ name }) => name === "Workers R2 Storage Bucket Item Write")?.["id"];
    const resources = { [`com.cloudflare.edge.r2.bucket.${accountId}_default_${bucket}`]: "*" };
    const policies = [{ effect: "allow", permission_groups: [{ id }], resources }];
    const { result } = await this.#cloudflare("POST", "/user/tokens", { name: "bench", policies });
    const made = isRecord(result) ? result : {};
    this.#key = {
      id: String(made["id"]),
      secret: createHash("sha256").update(String(made["value"])).digest("hex"),
    };
  }

  #record(name: string) {
    return this.#cloudflare("POST", this.#zone, { type: "A", name, content: "192.0.2.1", ttl: 60 });
  }

  /** The calls, each with its name. @param round a number that no other round has */
  calls(round: number): readonly (readonly [string, () => Promise<unknown>])[] {
    const small = Buffer.alloc(1024, "x");
    const large = Buffer.alloc(2 ** 20, "x");
    const label = { labels: { round: String(round) } };
    return [
      [`Hetzner: GET /servers, ${servers} of them`, () => this.#hetzner("GET", "/servers?per_page=50")],
      ["Hetzner: GET /servers/1", () => this.#hetzner("GET", "/servers/1")],
      ["Hetzner: PUT /servers/1", () => this.#hetzner("PUT", "/servers/1", label)],
      ["Hetzner: POST /firewalls", () => this.#hetzner("POST", "/firewalls", { name: `firewall-${round}` })],
      ["Hetzner: GET /server_types", () => this.#hetzner("GET", "/server_types?per_page=50")],
      ["Hetzner: GET /pricing", () => this.#hetzner("GET", "/pricing")],
      ["Cloudflare: GET /zones", () => this.#cloudflare("GET", "/zones")],
      [
        `Cloudflare: GET dns_records, ${dnsRecords} of them`,
        () => this.#cloudflare("GET", `${this.#zone}?per_page=50`),
      ],
      ["Cloudflare: POST dns_records", () => this.#record(`one-${round}`)],
      ["R2: PUT of 1 KiB", () => this.#s3("PUT", `/small-${round % 10}`, small)],
      ["R2: GET of 1 KiB", () => this.#s3("GET", `/small-${round % 10}`)],
      ["R2: HEAD", () => this.#s3("HEAD", `/small-${round % 10}`)],
      ["R2: PUT of 1 MiB", () => this.#s3("PUT", "/large", large)],
      ["R2: GET of 1 MiB", () => this.#s3("GET", "/large")],
      ["R2: list", () => this.#s3("GET", "/?list-type=2")],
    ];
  }
}

/** The medians of each cloud's calls, in the order of the clouds. */
export async function callTimes(clouds: readonly Measurable[], rounds: number): Promise<CallTimes[]> {
  const callers = clouds.map((cloud) => new Caller(cloud));
  for (const caller of callers) await caller.prepare();
  const all = callers.map(() => new Map<string, number[]>());
  // The first rounds warm up: connections are opened, and programs are compiled as they run.
  const warm = Math.ceil(rounds / 10);
  for (let round = 0; round < rounds + warm; round++) {
    const each = callers.map((caller) => caller.calls(round));
    for (let call = 0; call < (each[0]?.length ?? 0); call++) {
      // Who is first changes from round to round.
      const order = [...each.keys()].map((index) => (index + round) % each.length);
      for (const index of order) {
        const [name, make] = each[index]?.[call] ?? ["", () => Promise.resolve()];
        const milliseconds = (await timed(make)) * 1000;
        const times = all[index]?.get(name) ?? [];
        if (round >= warm) all[index]?.set(name, [...times, milliseconds]);
      }
    }
  }
  return all.map((times) => new Map([...times].map(([name, values]) => [name, median(values)])));
}
