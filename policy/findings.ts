/** A finding (refused, loss or danger) about an update, an image or an external service, and its text. Pure. */

/**
 * `refused`: the engine would stop at a protection half-way, data would become unreachable, or the platform would be gone; also
 * what the stack has to agree to with `orion:agreed`, and has not.
 * `loss`: the same in a stack without protection. `danger`: it succeeds, but users or operators notice it.
 */
export type Severity = "refused" | "loss" | "danger";

export interface Finding {
  readonly severity: Severity;
  /** Logical name of the resource. */
  readonly name: string;
  /** What would happen to it and why: `would be replaced because location changes from fsn1 to nbg1`. */
  readonly happens: string;
  /** What to do instead. */
  readonly instead?: string;
  /** What a stack lists in `orion:agreed` to update anyway. @default - it cannot agree to this */
  readonly agreement?: string;
}

/** A finding as a line. */
export const lineOf = ({ name, happens, instead }: Finding): string =>
  `${name} ${happens}${instead === undefined ? "" : `. Instead: ${instead}`}`;

/** Refused until the stack agrees to it by its name. */
export const refused = (name: string, happens: string, instead: string): Finding => ({
  ...{ severity: "refused", name, happens, instead, agreement: name },
});

export const danger = (name: string, happens: string, instead?: string): Finding => ({
  ...{ severity: "danger", name, happens, ...(instead !== undefined && { instead }) },
});

/** How to agree to something once. */
export const agreeTo = (name: string): string => `list ${name} in orion:agreed, and take it out after the update`;

/** The findings, where what the stack agrees to is refused no more. @param agreed `orion:agreed` */
export const asAgreed = (findings: readonly Finding[], agreed: readonly string[]): Finding[] =>
  findings.map((one) => {
    const { name, happens, agreement } = one;
    return agreement !== undefined && agreed.includes(agreement) ? danger(name, happens) : one;
  });

/** The commands that agree to all that is refused: each adds an entry to the stack's list. @param agreed `orion:agreed` */
export function agreeCommands(findings: readonly Finding[], agreed: readonly string[]): string[] {
  const names = findings.flatMap(({ severity, agreement = "" }) => (severity === "refused" ? [agreement] : []));
  return [...new Set(names)]
    .filter((name) => name !== "")
    .map((name, index) => `npx pulumi config set --path 'orion:agreed[${agreed.length + index}]' ${name}`);
}
