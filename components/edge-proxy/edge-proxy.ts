import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { containerPorts } from "../../topology/plan.ts";
import { type Service } from "../../topology/types.ts";
import { appAlias } from "../app-tier/app-tier.ts";
import { createContainer } from "../container.ts";
import { type DockerPlace } from "../host/docker-place.ts";
import { NotBuiltError } from "../not-built.ts";
import { uploadDirectory } from "../storage/storage.ts";
import { nginxConfig } from "./nginx-config.ts";

export interface EdgeProxyArgs {
  readonly place: DockerPlace;
  readonly service: Service;
  readonly tls: "none" | "cloudflare-origin-ca" | "acme" | "self-signed";
  /** Largest request body, in MB. */
  readonly bodyLimitMb: number;
  /** The uploads volume of local storage. @default - files are not kept locally */
  readonly uploads?: pulumi.Input<string>;
}

/** nginx in front of the app instances of one machine. */
export class EdgeProxy extends pulumi.ComponentResource {
  constructor(name: string, args: EdgeProxyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:edge:EdgeProxy", name, {}, opts);
    if (args.tls !== "none") throw new NotBuiltError(`TLS at the edge (orion:edge.tls ${args.tls})`);
    this.#createProxy(name, args);
    this.registerOutputs({});
  }

  #createProxy(name: string, { place, service, bodyLimitMb, uploads }: EdgeProxyArgs): docker.Container {
    return createContainer(
      `${name}-nginx`,
      service,
      {
        image: "nginx",
        files: [
          {
            file: "/etc/nginx/nginx.conf",
            content: nginxConfig({
              port: containerPorts.edge,
              app: { host: appAlias, port: containerPorts.app },
              bodyLimitMb,
              ...(uploads !== undefined && { uploads: uploadDirectory }),
            }),
          },
        ],
        ...(uploads !== undefined && {
          volumes: [{ volumeName: uploads, containerPath: uploadDirectory, readOnly: true }],
        }),
        health: {
          // The image has bash or a shell but not always curl; nginx that answers its own address is up.
          command: ["sh", "-c", `exec 2>&1; test -s /tmp/nginx.pid && nginx -t -q`],
          intervalSeconds: 3,
          timeoutSeconds: 5,
          retries: 5,
        },
        memoryMb: 256,
        stopSeconds: 35,
      },
      place,
      { parent: this },
    );
  }
}
