/** Makes the findings of checks that ask something real: an image, an external database. Pure. */
import type { Finding } from "./dangers.ts";

export const refused = (name: string, happens: string, instead: string): Finding => ({
  ...{ severity: "refused", name, happens, instead },
});

export const danger = (name: string, happens: string, instead?: string): Finding => ({
  ...{ severity: "danger", name, happens, ...(instead !== undefined && { instead }) },
});

/** The findings, where what the stack agrees to is refused no more. @param agreed `orion:agreed` */
export const asAgreed = (findings: readonly Finding[], agreed: readonly string[]): Finding[] =>
  findings.map((one) =>
    one.severity === "refused" && agreed.includes(one.name) ? { ...one, severity: "danger" } : one,
  );
