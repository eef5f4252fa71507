/** Reads and writes the engine's state of a stack, for the repair of interrupted updates. */
import { z } from "zod";
import { runSync } from "../common/process.ts";
import { UserError } from "../common/user-error.ts";

export const resourceSchema = z.looseObject({
  urn: z.string(),
  type: z.string(),
  id: z.string().optional(),
  /** `<urn>::<id>` of the provider. */
  provider: z.string().optional(),
  inputs: z.record(z.string(), z.unknown()).default({}),
  /** Errors of a creation that did not complete. */
  initErrors: z.array(z.string()).optional(),
});
const operationSchema = z.looseObject({ type: z.string(), resource: resourceSchema });
const exportSchema = z.looseObject({
  version: z.number(),
  deployment: z.looseObject({
    resources: z.array(resourceSchema).default([]),
    pending_operations: z.array(operationSchema).default([]),
  }),
});

export type Resource = z.infer<typeof resourceSchema>;
/** An operation that an update began, without recording its end. */
export type Operation = z.infer<typeof operationSchema>;
export type Deployment = z.infer<typeof exportSchema>["deployment"];

/** Whether a resource is at Hetzner or Cloudflare, by its type. */
export const isAtCloudProvider = ({ type }: Pick<Resource, "type">): boolean => /^(hcloud|cloudflare):/.test(type);

export interface State {
  readonly deployment: Deployment;
  /** Replaces the state. */
  readonly write: (deployment: Deployment) => void;
}

/** @returns undefined when the stack has none */
export function readState(root: string, stack: string): State | undefined {
  const place = ["--stack", stack, "--cwd", root];
  const exported = runSync("pulumi", ["stack", "export", ...place]);
  if (exported.code !== 0) return undefined;
  const checkpoint = exportSchema.parse(JSON.parse(exported.stdout));
  const write = (deployment: Deployment) => {
    const { code, stderr } = runSync("pulumi", ["stack", "import", ...place], {
      input: JSON.stringify({ ...checkpoint, deployment }),
    });
    if (code !== 0) throw new UserError(`The state of '${stack}' could not be written:\n${stderr}`);
  };
  return { deployment: checkpoint.deployment, write };
}
