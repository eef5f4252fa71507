/** A script for psql that runs in a PostgreSQL container, as its superuser, whenever it changes (plugin/sql-script.ts). */
import * as pulumi from "@pulumi/pulumi";
import type { SqlScriptInputs } from "../../../plugin/sql-script.ts";
import type { InputsOf } from "../../inputs.ts";
import type { DockerRuntime } from "./runtime.ts";

export interface SqlScriptArgs extends Omit<InputsOf<SqlScriptInputs>, "dockerHost" | "sshOptions"> {
  readonly runtime: DockerRuntime;
}

export class SqlScript extends pulumi.CustomResource {
  constructor(
    name: string,
    { runtime, ...args }: SqlScriptArgs,
    opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
  ) {
    const { deletedWith } = runtime.options(opts.parent);
    super(
      "orion:index:SqlScript",
      name,
      { ...runtime.engine, ...args },
      { ...(deletedWith && { deletedWith }), ...opts },
    );
  }
}
