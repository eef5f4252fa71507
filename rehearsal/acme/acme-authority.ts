/** Certificates as Let's Encrypt issues them, by the program that its clients are tested with. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { CertificateAuthority } from "../cloudflare/authority.ts";
import type { CloudflareStore } from "../cloudflare/state.ts";
import type { Resolver } from "../names/resolver.ts";
import { NameServer } from "../names/name-server.ts";
import { Child } from "../programs/child.ts";
import { acmeHostname } from "./acme-hostname.ts";

export interface AcmeAuthorityOptions {
  /** The program, from `ensureProgram(acme, ...)`. */
  readonly program: string;
  /** A folder of its own below the cloud's. */
  readonly folder: string;
  /** An address of loopback of its own. */
  readonly host: string;
  /** Names as this machine finds them. */
  readonly resolver: Pick<Resolver, "resolve">;
  /** Has the authority that vouches for its own address: the one that vouches for the edge. */
  readonly store: CloudflareStore;
  /** What is later than the certificate that its own address has. */
  readonly now: () => Date;
}

const ports = { acme: 443, management: 15000, names: 53 } as const;
const days = 365;

export class AcmeAuthority {
  readonly #options: AcmeAuthorityOptions;
  readonly #names: NameServer;
  readonly #roots: string;
  #child: Child | undefined;

  constructor(options: AcmeAuthorityOptions) {
    this.#options = options;
    this.#names = new NameServer({ resolver: options.resolver, host: options.host, port: ports.names });
    this.#roots = join(options.folder, "roots.pem");
  }

  async start(): Promise<void> {
    const { program, folder, host, store, now } = this.#options;
    mkdirSync(folder, { recursive: true });
    const authority = await CertificateAuthority.open(store, "public");
    const { certificate, key } = await authority.issue([acmeHostname], days, now());
    const files = { certificate: join(folder, "own.crt"), privateKey: join(folder, "own.key") };
    writeFileSync(files.certificate, certificate);
    writeFileSync(files.privateKey, key, { mode: 0o600 });
    const config = {
      ...{ listenAddress: `${host}:${ports.acme}`, managementListenAddress: `${host}:${ports.management}` },
      ...files,
      ...{ httpPort: 80, tlsPort: 443, ocspResponderURL: "", externalAccountBindingRequired: false },
      // Seconds between a client's questions.
      retryAfter: { authz: 1, order: 1 },
      keyAlgorithm: "ecdsa",
      profiles: { default: { description: "90 days", validityPeriod: 90 * 86_400 } },
    };
    writeFileSync(join(folder, "config.json"), JSON.stringify({ pebble: config }));
    await this.#names.start();
    this.#child = await Child.start({
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
    await this.#names.stop();
  }

  /** What its certificates are to be checked against, in PEM: it has another root each time that it starts. */
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
