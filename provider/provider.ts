/** The resources of the `orion` plugin, as the engine's protocol asks for them. */
import { isDeepStrictEqual } from "node:util";
import type * as provider from "@pulumi/pulumi/provider/index.js";
import { type Docker } from "./docker.ts";
import { unwrapSecrets } from "./secrets.ts";
import { runTask, taskSchema } from "./task.ts";

type Properties = Record<string, unknown>;

/** Added to the state beside the inputs by the engine or the SDK; not what a change is judged by. */
const ignoredKeys = new Set(["__defaults", "__internal"]);

/**
 * `orion:index:Task` runs a container once, when it is made and whenever an input changes.
 * A task that failed is not in the state, so that the next update runs it again.
 */
export class OrionProvider implements provider.Provider {
  readonly version = "0.1.0";
  readonly #docker: Docker;

  constructor(docker: Docker) {
    this.#docker = docker;
  }

  check(_urn: string, _olds: Properties, news: Properties): Promise<provider.CheckResult> {
    const parsed = taskSchema.safeParse(unwrapSecrets(withoutIgnored(news)));
    const failures = parsed.success
      ? []
      : parsed.error.issues.map((issue) => ({ property: issue.path.join("."), reason: issue.message }));
    return Promise.resolve({ inputs: news, failures });
  }

  diff(_id: string, _urn: string, olds: Properties, news: Properties): Promise<provider.DiffResult> {
    const comparable = (properties: Properties) => unwrapSecrets(withoutIgnored(properties));
    return Promise.resolve({ changes: !isDeepStrictEqual(comparable(olds), comparable(news)) });
  }

  async create(urn: string, inputs: Properties): Promise<provider.CreateResult> {
    await this.#run(inputs);
    return { id: urn.slice(urn.lastIndexOf("::") + 2), outs: inputs };
  }

  async update(_id: string, _urn: string, _olds: Properties, news: Properties): Promise<provider.UpdateResult> {
    await this.#run(news);
    return { outs: news };
  }

  /** What a task did stays done. */
  delete(): Promise<void> {
    return Promise.resolve();
  }

  async #run(inputs: Properties): Promise<void> {
    await runTask(taskSchema.parse(unwrapSecrets(withoutIgnored(inputs))), this.#docker);
  }
}

function withoutIgnored(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !ignoredKeys.has(key)));
}
