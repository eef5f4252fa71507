/** The Docker Engine of a stack, for the tools: its containers as they are now. */
import { z } from "zod";
import { capture } from "./run.ts";
import { UserError } from "./user-error.ts";

const containerSchema = z.object({
  Name: z.string().transform((name) => name.replace(/^\//, "")),
  RestartCount: z.number(),
  State: z.object({
    Status: z.string(),
    ExitCode: z.number(),
    OOMKilled: z.boolean(),
    StartedAt: z.string(),
    Health: z.object({ Status: z.string() }).optional(),
  }),
});
export type ContainerState = z.infer<typeof containerSchema>;

/** Docker arguments that choose the engine; none for the default one. */
export const hostArguments = (dockerHost: string | undefined): string[] => (dockerHost ? ["--host", dockerHost] : []);

/** The containers of those names that exist, by name. */
export function inspectContainers(names: readonly string[], dockerHost?: string): ReadonlyMap<string, ContainerState> {
  const { stdout, stderr } = capture("docker", [...hostArguments(dockerHost), "container", "inspect", ...names]);
  if (/cannot connect|is the docker daemon running|permission denied/i.test(stderr)) {
    throw new UserError(
      `The Docker Engine does not answer${dockerHost ? ` at ${dockerHost}` : ""}: ${stderr.trim()}\nStart it with: make docker`,
    );
  }
  const found = z.array(containerSchema).parse(JSON.parse(stdout.trim() === "" ? "[]" : stdout));
  return new Map(found.map((container) => [container.Name, container]));
}
