/** A plugin that is asked what the engine asks it before an update: would this change replace the resource? */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { credentials } from "@grpc/grpc-js";
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import service from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import type { Part } from "../../../toolchain/src/parts.ts";

type Values = Readonly<Record<string, unknown>>;

/** The engine's address, which a plugin wants to have: nobody is there, and nothing is asked of it. */
const nobody = "127.0.0.1:1";

export class AskedPlugin {
  readonly #process: ChildProcess;
  readonly #client: service.ResourceProviderClient;

  private constructor(child: ChildProcess, port: string) {
    this.#process = child;
    this.#client = new service.ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure());
  }

  static async start(part: Part): Promise<AskedPlugin> {
    const child = spawn(join(part.folder, `pulumi-resource-${part.name}`), [nobody], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const port = await new Promise<string>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", (code) => {
        reject(new Error(`plugin ${part.name} ended with ${String(code)}`));
      });
      child.stdout.once("data", (text: Buffer) => {
        resolve(text.toString().trim());
      });
    });
    const plugin = new AskedPlugin(child, port);
    await plugin.#configure(part.name === "hcloud" ? { token: "a".repeat(64), endpoint: `http://${nobody}/v1` } : {});
    return plugin;
  }

  /** The inputs for which the plugin would replace a resource that has `before`, and is to have `after`. */
  async replaces(type: string, outputs: Values, before: Values, after: Values): Promise<string[]> {
    const request = new messages.DiffRequest();
    request.setId("1");
    request.setUrn(`urn:pulumi:test::orion::${type}::asked`);
    request.setOlds(struct.Struct.fromJavaScript({ id: "1", ...before, ...outputs }));
    request.setOldInputs(struct.Struct.fromJavaScript(before as never));
    request.setNews(struct.Struct.fromJavaScript(after as never));
    const response = await new Promise<messages.DiffResponse>((resolve, reject) => {
      this.#client.diff(request, (error, answer) => {
        if (error) reject(error);
        else resolve(answer);
      });
    });
    return response.getReplacesList();
  }

  stop(): void {
    this.#client.close();
    this.#process.kill();
  }

  async #configure(values: Readonly<Record<string, string>>): Promise<void> {
    const request = new messages.ConfigureRequest();
    request.setArgs(struct.Struct.fromJavaScript(values));
    for (const [key, value] of Object.entries(values)) request.getVariablesMap().set(`hcloud:config:${key}`, value);
    await new Promise<void>((resolve, reject) => {
      this.#client.configure(request, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }
}
