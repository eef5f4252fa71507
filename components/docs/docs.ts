/** The website of this repository's documentation, in the development stack. */
import { docsPorts } from "../../topology/services/docs.ts";
import { servicesOf } from "../../topology/topology.ts";
import type { Context } from "../context.ts";
import * as pulumi from "@pulumi/pulumi";
import type { Service } from "../../topology/service.ts";
import { createContainer } from "../runtime/docker/container.ts";
import { httpProbe } from "../runtime/docker/health.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";

export interface DocsArgs {
  readonly runtime: DockerRuntime;
  readonly service: Service;
}

export class Docs extends pulumi.ComponentResource {
  constructor(name: string, { runtime, service }: DocsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:docs:Docs", name, {}, opts);
    createContainer(
      `${name}-mkdocs`,
      service,
      {
        image: "docs",
        health: httpProbe(docsPorts.http, "/"),
        stopSeconds: 5,
      },
      runtime,
      { parent: this },
    );
    this.registerOutputs({});
  }
}

/** Creates the documentation, where the plan has it. */
export function createDocs({ topology, runtimes, parent }: Context): void {
  for (const service of servicesOf(topology, "docs")) {
    new Docs("docs", { runtime: runtimes.of(service), service }, { parent });
  }
}
