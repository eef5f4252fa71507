/** The cloud's ACME certificate authority: runs Pebble, the program that Let's Encrypt tests ACME clients with. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { CertificateAuthority } from "../cloudflare/authority.ts";
import type { CloudflareStore } from "../cloudflare/state.ts";
import type { Resolver } from "../dns/resolver.ts";
import { NameServer } from "../dns/name-server.ts";
import { ServerProcess } from "../programs/server-process.ts";
import { acmeHostname } from "./acme-hostname.ts";

export interface AcmeAuthorityOptions {
  /** The program, from `ensureProgram(acme, ...)`. */
  readonly program: string;
  /** Folder for its files, below the cloud's folder. */
  readonly folder: string;
  /** Loopback address that only this authority uses. */
  readonly host: string;
  /** Resolves names to addresses that this machine can reach. */
  readonly resolver: Pick<Resolver, "resolve">;
  /** Store with the public certificate authority, which signs the edge's certificates and the one of this HTTPS endpoint. */
  readonly store: CloudflareStore;
  /** Current time, for the validity of the endpoint's certificate. */
  readonly now: () => Date;
}

const ports = { acme: 443, management: 15000, names: 53 } as const;
const days = 365;

export class AcmeAuthority {
  readonly #options: AcmeAuthorityOptions;
  #names: NameServer | undefined;
  readonly #roots: string;
  #child: ServerProcess | undefined;

  constructor(options: AcmeAuthorityOptions) {
    this.#options = options;
    this.#roots = join(options.folder, "roots.pem");
  }

  async start(): Promise<void> {
    const { program, folder, host, store, now } = this.#options;
    mkdirSync(folder, { recursive: true });
    const authority = await CertificateAuthority.open(store, "public");
    const { certificate, key } = await authority.issue([acmeHostname], days, now());
    const secondsAhead = Math.max(0, Math.round((now().getTime() - Date.now()) / 1000));
    const files = { certificate: join(folder, "own.crt"), privateKey: join(folder, "own.key") };
    writeFileSync(files.certificate, certificate);
    writeFileSync(files.privateKey, key, { mode: 0o600 });
    const config = {
      ...{ listenAddress: `${host}:${ports.acme}`, managementListenAddress: `${host}:${ports.management}` },
      ...files,
      ...{ httpPort: 80, tlsPort: 443, ocspResponderURL: "", externalAccountBindingRequired: false },
      // Seconds between two polls of a client.
      retryAfter: { authz: 1, order: 1 },
      keyAlgorithm: "ecdsa",
      // It has the clock of this machine; its certificates are valid for 90 days from the cloud's time on.
      profiles: { default: { description: "90 days", validityPeriod: 90 * 86_400 + secondsAhead } },
    };
    writeFileSync(join(folder, "config.json"), JSON.stringify({ pebble: config }));
    this.#names = new NameServer({ resolver: this.#options.resolver, host, port: ports.names });
    await this.#names.start();
    this.#child = await ServerProcess.start({
      title: "ACME authority",
      program,
      args: ["-config", join(folder, "config.json"), "-dnsserver", `${host}:${ports.names}`],
      env: { PATH: process.env["PATH"], HOME: folder, PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0" },
      cwd: folder,
      log: join(folder, "acme.log"),
      address: { host, port: ports.management },
    });
    await this.#keepRoot(authority.certificate);
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
    await this.#names?.stop();
  }

  /** Starts it again with the cloud's present time; accounts of its clients are forgotten, as at each start of the cloud. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Root certificates in PEM that its certificates are verified with: it creates a new root each time it starts. */
  get roots(): string {
    return existsSync(this.#roots) ? readFileSync(this.#roots, "utf8") : "";
  }

  async #keepRoot(ca: string): Promise<void> {
    const root = await get(`https://${this.#options.host}:${ports.management}/roots/0`, ca);
    writeFileSync(this.#roots, `${this.roots}${root.trimEnd()}\n`);
  }
}

const get = (url: string, ca: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const call = request(url, { ca, servername: acmeHostname, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () => {
        resolve(body);
      });
    });
    call.on("error", reject);
    call.end();
  });
