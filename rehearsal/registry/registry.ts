/** The image registry of the rehearsal cloud, from which servers pull images instead of from the internet. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../common/user-error.ts";
import { type Run, run } from "../../common/process.ts";
import { ServerProcess } from "../programs/server-process.ts";

export interface RegistryOptions {
  /** The program, from `ensureProgram(registry, ...)`. */
  readonly program: string;
  /** Folder for its files, below the cloud's folder. */
  readonly folder: string;
  /** Loopback address and port; Docker accepts a registry on loopback without TLS. */
  readonly host: string;
  readonly port: number;
  /** @default a child process */
  readonly run?: Run;
}

/** Location of an image in the registry. */
export interface Place {
  /** Host name of its registry in production. */
  readonly host: string;
  readonly repository: string;
  readonly tag: string;
}

/** Objects that the cloud stores about images. */
export interface RegistryObjects {
  /** Stored by reference, as servers pull it. */
  "registry.image": { readonly reference: string };
}

const hub = "docker.io";

/** All host names of a registry. */
export const namesOf = (host: string): readonly string[] =>
  host === hub ? [hub, "index.docker.io", "registry-1.docker.io"] : [host];

/**
 * Location of an image in the registry: Docker Hub's names as its mirrors have them, others without their host, so that one
 * registry serves the images of all.
 */
export function placeOf(reference: string): Place {
  const [name = "", digest] = reference.split("@");
  if (digest !== undefined) throw new UserError(`${reference}: images can be pushed by tag only, not by digest`);
  const colon = name.lastIndexOf(":");
  const hasTag = colon > name.lastIndexOf("/");
  const [path, tag] = hasTag ? [name.slice(0, colon), name.slice(colon + 1)] : [name, "latest"];
  const parts = path.split("/");
  const [first = ""] = parts;
  const isHost = parts.length > 1 && (/[.:]/.test(first) || first === "localhost");
  const rest = isHost ? parts.slice(1) : parts;
  const host = isHost ? first.replace(/:\d+$/, "") : hub;
  return { host, repository: host === hub && rest.length === 1 ? `library/${rest.join("/")}` : rest.join("/"), tag };
}

export class Registry {
  readonly #options: RegistryOptions;
  #child: ServerProcess | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** `<host>:<port>` */
  get address(): string {
    return `${this.#options.host}:${this.#options.port}`;
  }

  async start(): Promise<void> {
    const { program, folder, host, port } = this.#options;
    const [images, config] = [join(folder, "images"), join(folder, "config.yml")];
    mkdirSync(images, { recursive: true });
    const settings = {
      version: 0.1,
      log: { level: "warn", accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: images }, delete: { enabled: true } },
      http: { addr: this.address, headers: { "X-Content-Type-Options": ["nosniff"] } },
    };
    // JSON is YAML.
    writeFileSync(config, JSON.stringify(settings));
    this.#child = await ServerProcess.start({
      title: "image registry",
      program,
      args: ["serve", config],
      env: { PATH: process.env["PATH"], HOME: folder, OTEL_TRACES_EXPORTER: "none" },
      cwd: folder,
      log: join(folder, "registry.log"),
      address: { host, port },
    });
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
  }

  /** Whether the registry has the image of a reference. */
  async has(reference: string): Promise<boolean> {
    return (await this.digest(reference)) !== undefined;
  }

  /** The digest with which servers can pull the image of a reference; undefined when the registry does not have it. */
  async digest(reference: string): Promise<string | undefined> {
    const { repository, tag } = placeOf(reference);
    const response = await fetch(`http://${this.address}/v2/${repository}/manifests/${tag}`, {
      method: "HEAD",
      headers: {
        accept: "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json",
      },
    });
    return response.ok ? (response.headers.get("docker-content-digest") ?? undefined) : undefined;
  }

  /**
   * Pushes an image of the local Docker Engine into the registry, under the name that servers pull.
   *
   * @param image name in the local Docker Engine
   * @param reference name in production
   * @throws {UserError} when the engine does not have the image, or the push fails
   */
  async push(image: string, reference: string = image): Promise<void> {
    const runner = this.#options.run ?? run;
    const { repository, tag } = placeOf(reference);
    const target = `${this.address}/${repository}:${tag}`;
    const docker = async (...args: readonly string[]): Promise<void> => {
      const { code, stderr } = await runner("docker", args);
      if (code !== 0)
        throw new UserError(`${image} could not be put into the registry: docker ${args.join(" ")}: ${stderr.trim()}`);
    };
    await docker("tag", image, target);
    try {
      await docker("push", "--quiet", target);
    } finally {
      await runner("docker", ["rmi", target]);
    }
  }
}
