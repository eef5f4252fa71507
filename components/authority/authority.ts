/** A certificate authority with its key in the stack's state: the stack's own, or that of Cloudflare's origin pulls. */
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { authorityFile } from "../../common/server-contract.ts";
import { HostFiles } from "../runtime/docker/host-files.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { AuthorityCertificate, type AuthorityCertificateArgs } from "./authority-certificate.ts";

export interface AuthorityArgs {
  /** Whether the engine refuses to delete the key: without it, all certificates would have to be replaced. */
  readonly protect: boolean;
  /** The Docker Engines of the servers that get the certificate, by the server's name. @default - none */
  readonly servers?: ReadonlyMap<string, DockerRuntime>;
}

/** Thirty years: every client of the data services would have to learn a new one at the same time. */
const validityHours = 30 * 365 * 24;

/**
 * The stack's own signs the certificates of the services that only the platform's processes connect to, so that a client knows
 * that the server which asks for its password is the right one.
 *
 * The key is a secret of the state; no server has it.
 */
export class Authority extends pulumi.ComponentResource {
  /** The authority's certificate, PEM; not a secret. */
  readonly certificate: pulumi.Output<string>;
  /** {@link certificate} on the servers; a container that mounts it ({@link authorityMount}) must depend on these. */
  readonly ready: readonly pulumi.Resource[];
  readonly #privateKey: pulumi.Output<string>;

  constructor(name: string, args: AuthorityArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:authority:Authority", name, {}, opts);
    const own = { parent: this, protect: args.protect };
    const key = new tls.PrivateKey(`${name}-key`, { algorithm: "ECDSA", ecdsaCurve: "P256" }, own);
    const certificate = new tls.SelfSignedCert(
      `${name}-certificate`,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: "orion" },
        isCaCertificate: true,
        setSubjectKeyId: true,
        validityPeriodHours: validityHours,
        allowedUses: ["cert_signing", "crl_signing"],
      },
      own,
    );
    this.#privateKey = pulumi.secret(key.privateKeyPem);
    this.certificate = certificate.certPem;
    this.ready = [...(args.servers ?? [])].map(([server, runtime]) => this.#giveTo(server, runtime));
    this.registerOutputs({});
  }

  /**
   * Creates a key and a certificate signed by this authority.
   *
   * @param name logical name
   */
  sign(
    name: string,
    args: AuthorityCertificateArgs,
    opts: pulumi.ComponentResourceOptions & { readonly parent: pulumi.Resource },
  ): AuthorityCertificate {
    return new AuthorityCertificate(
      name,
      { ...args, authority: { certificate: this.certificate, privateKey: this.#privateKey } },
      opts,
    );
  }

  /** In a folder of the host: a container with a read-only file system takes no uploads. */
  #giveTo(server: string, runtime: DockerRuntime): pulumi.Resource {
    return new HostFiles(
      `${server}-authority`,
      {
        runtime,
        files: { [authorityFile]: { text: this.certificate, mode: "0644" } },
        command: ["true"],
        removal: ["true"],
      },
      // The Docker Engine is there, so the server is.
      { parent: this, dependsOn: runtime.provider },
    );
  }
}

/** Mounts the authority's certificate into a container on a server. */
export const authorityMount = { source: authorityFile, target: authorityFile, readOnly: true } as const;

/** The same for a task. */
export const authorityVolume = `${authorityFile}:${authorityFile}:ro`;
