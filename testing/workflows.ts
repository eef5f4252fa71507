/** The repository's workflows: read as they stand, so that tests run their steps as a runner does. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly uses?: string;
        readonly concurrency?: { readonly group: string; readonly "cancel-in-progress": boolean };
        readonly environment?: string;
        readonly steps?: readonly { readonly run?: string; readonly uses?: string }[];
      }
    >
  >;
}

export const workflow = (project: string, name: string): Workflow =>
  parse(readFileSync(join(project, ".github", "workflows", name), "utf8")) as Workflow;

/** The `run` steps of a job as one script for `bash --noprofile --norc -eo pipefail`. @throws when it has none */
export function scriptOf(project: string, name: string, job: string): string {
  const commands = workflow(project, name).jobs[job]?.steps?.flatMap((step) => step.run ?? []) ?? [];
  if (commands.length === 0) throw new Error(`the job ${job} of ${name} runs nothing`);
  return commands.join("\n");
}
