/** nginx in front of the apps of one machine. */
import { edgePorts } from "../../topology/services/edge.ts";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import {
  edgeConfigFile,
  edgeDirectory as directory,
  edgeHealthPath,
  acmeCertificate,
  acmeFolder,
} from "../../common/edge-contract.ts";
import type { Service } from "../../topology/service.ts";
import { createContainer } from "../runtime/docker/container.ts";
import { httpProbe } from "../runtime/docker/health.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { serviceVolume } from "../runtime/docker/service-volume.ts";
import { uploadDirectory } from "../storage/files-environment.ts";
import { LiveFiles } from "../runtime/docker/live-files.ts";
import { type NginxConfig, nginxConfig, type NginxTls, type OtherName, probePort } from "./nginx-config.ts";

/** A certificate with its chain and its key, in PEM. */
export interface Certificate {
  readonly chain: pulumi.Input<string>;
  readonly privateKey: pulumi.Input<string>;
}

type Rules = Pick<
  NginxConfig,
  "healthPath" | "bodyLimitMb" | "responseSeconds" | "limits" | "headers" | "websockets" | "privatePaths"
>;

export interface EdgeProxyArgs extends Rules {
  readonly runtime: DockerRuntime;
  readonly service: Service;
  /** Host name of the app in the container network. */
  readonly app: pulumi.Input<string>;
  /** The port that the app listens on there. */
  readonly appPort: number;
  /** Host name of each instance there. */
  readonly instances: pulumi.Input<pulumi.Input<string>[]>;
  /** Host name there of the instances of every version. */
  readonly anyVersion: string;
  /** Paths at which a client reaches the same instance each time. @default - none */
  readonly sticky?: readonly string[];
  /** `acme`: the server itself obtains it from an authority (acme-certificate.ts). @default - plain HTTP, for development */
  readonly certificate?: Certificate | "acme";
  /**
   * The CA, in PEM, that must have signed the certificate of each client, which is Cloudflare. Known once Cloudflare presents
   * such a certificate. @default - clients need no certificate
   */
  readonly clientAuthority?: pulumi.Input<string>;
  /** Address ranges of proxies whose header with the client's address is trusted. @default - none */
  readonly trustedProxies?: readonly string[];
  /** Private addresses of the load balancers in front of nginx. @default - none: visitors connect to nginx */
  readonly balancers?: readonly string[];
  /** The uploads volume of local storage. @default - files are not kept locally */
  readonly uploads?: pulumi.Input<string>;
  /** The host name that nginx serves. @default - any, on a local Docker Engine */
  readonly hostname?: string;
  /** Other host names: where visitors are sent to (the app answers without it), and a certificate of their own. @default - none */
  readonly others?: Others;
}

type Others = readonly (Pick<OtherName, "hostname" | "redirect"> & { readonly certificate?: Certificate })[];

const names = { certificate: "edge.crt", key: "edge.key", clientAuthority: "client-authority.crt" } as const;
/** The files of another host name's own certificate. */
const filesOf = (hostname: string) => ({ certificate: `edge-${hostname}.crt`, key: `edge-${hostname}.key` });

function ownFiles({ hostname, certificate }: Others[number]): [string, pulumi.Input<string>][] {
  if (!certificate) return [];
  const files = filesOf(hostname);
  return [
    [files.certificate, certificate.chain],
    [files.key, pulumi.secret(certificate.privateKey)],
  ];
}

/** The titles of nginx' processes before and after a reload. */
export const nginxProcesses = {
  serving: "nginx: worker process",
  leaving: "nginx: worker process is shutting down",
} as const;

const acmeFolders = { [acmeFolder.container]: acmeFolder.host };

const tlsOf = (certificate: Certificate | "acme", hasAuthority: boolean): NginxTls => ({
  port: edgePorts.https,
  ...(certificate === "acme" ? acmeCertificate : { certificate: names.certificate, key: names.key }),
  ...(hasAuthority && { clientAuthority: names.clientAuthority }),
});

/** A change of its configuration or certificate drops no request. */
export class EdgeProxy extends pulumi.ComponentResource {
  constructor(name: string, args: EdgeProxyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:edge:EdgeProxy", name, {}, opts);
    const purpose = { ...args, part: "files", role: args.service.kind };
    const volume = serviceVolume(`${name}-files`, purpose, { parent: this });
    const files = this.#createFiles(name, args, volume);
    this.#createProxy(name, args, volume, files);
    this.registerOutputs({});
  }

  #createFiles(name: string, args: EdgeProxyArgs, volume: docker.Volume): LiveFiles {
    const { runtime, service, certificate, clientAuthority, balancers, hostname, others = [] } = args;
    const { healthPath, bodyLimitMb, responseSeconds, limits, headers, websockets, privatePaths } = args;
    const config = pulumi.all([args.app, args.instances]).apply(([host, instances]) =>
      nginxConfig({
        ...(args.sticky && { sticky: args.sticky }),
        ...{ port: edgePorts.http, app: { host, port: args.appPort, instances, anyVersion: args.anyVersion } },
        ...{ healthPath, bodyLimitMb, responseSeconds, limits, headers, websockets, privatePaths },
        trustedProxies: args.trustedProxies ?? [],
        ...(certificate && { tls: tlsOf(certificate, clientAuthority !== undefined) }),
        ...(balancers && { balancers }),
        ...(hostname !== undefined && { hostname, healthPort: edgePorts.health }),
        ...(others.length > 0 && {
          others: others.map(({ certificate: own, ...one }) => ({
            ...one,
            ...(own && { certificate: filesOf(one.hostname) }),
          })),
        }),
        ...(args.uploads !== undefined && { uploads: uploadDirectory }),
      }),
    );
    return new LiveFiles(
      `${name}-config`,
      {
        runtime,
        image: "nginx",
        volume: volume.name,
        directory,
        ...(certificate === "acme" && { folders: acmeFolders }),
        files: {
          "nginx.conf": config,
          ...(typeof certificate === "object" && {
            [names.certificate]: certificate.chain,
            [names.key]: pulumi.secret(certificate.privateKey),
          }),
          ...Object.fromEntries(others.flatMap(ownFiles)),
          ...(certificate && clientAuthority !== undefined && { [names.clientAuthority]: clientAuthority }),
        },
        check: ["nginx", "-t", "-q", "-c", "{}/nginx.conf"],
        container: service.container,
        reload: ["nginx", "-q", "-s", "reload", "-c", edgeConfigFile],
        processes: nginxProcesses,
        // For requests that nginx has read and not passed on yet. One that takes longer reaches the next version (nginx-kept.ts).
        settleSeconds: 1,
      },
      { parent: this },
    );
  }

  #createProxy(
    name: string,
    { runtime, service, uploads, certificate }: EdgeProxyArgs,
    volume: docker.Volume,
    files: LiveFiles,
  ): docker.Container {
    return createContainer(
      `${name}-nginx`,
      service,
      {
        image: "nginx",
        command: ["nginx", "-c", edgeConfigFile, "-g", "daemon off;"],
        volumes: [
          { volumeName: volume.name, containerPath: directory, readOnly: true },
          // Always mounted, so that another source of the certificate does not replace the container.
          ...(certificate ? [{ hostPath: acmeFolder.host, containerPath: acmeFolder.container, readOnly: true }] : []),
          ...(uploads === undefined ? [] : [{ volumeName: uploads, containerPath: uploadDirectory, readOnly: true }]),
        ],
        health: httpProbe(probePort, edgeHealthPath),
        stopSeconds: 35,
      },
      runtime,
      { parent: this, dependsOn: files },
    );
  }
}
