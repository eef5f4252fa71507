/** What is behind, as a table and as data. Pure. */
import { bold, green, red, table, yellow } from "../terminal.ts";

export interface Item {
  readonly kind: "image" | "npm" | "pip" | "go" | "engine" | "server" | "list";
  readonly name: string;
  readonly current: string;
  /** What could be had. @default - it is the same, or not known */
  readonly latest?: string;
  readonly state: "current" | "behind" | "unknown";
  /** By how much it is behind, or why that is not known. */
  readonly note?: string;
}

const titles: Readonly<Record<Item["kind"], string>> = {
  image: "Images",
  engine: "Pulumi engine",
  npm: "npm packages",
  pip: "Python packages",
  go: "Go modules",
  server: "Servers",
  list: "Lists in config/",
};

/** Everything that is behind or unknown, by kind; of the rest only how many they are. */
export function reportOf(items: readonly Item[]): string {
  const parts = (Object.keys(titles) as Item["kind"][]).flatMap((kind) => {
    const own = items.filter((item) => item.kind === kind);
    if (own.length === 0) return [];
    const shown = own.filter(({ state }) => state !== "current");
    const fine = own.length - shown.length;
    const rows = shown.map(({ name, current, latest, state, note }) => [
      `  ${name}`,
      current,
      latest === undefined ? "" : `-> ${latest}`,
      `${state === "unknown" ? yellow("not known") : red("behind")}${note === undefined ? "" : `: ${note}`}`,
    ]);
    return [
      [
        bold(titles[kind]) + (fine > 0 ? `: ${green(`${fine} up to date`)}` : ""),
        ...(rows.length > 0 ? [table(rows)] : []),
      ].join("\n"),
    ];
  });
  const [behind, unknown] = (["behind", "unknown"] as const).map(
    (wanted) => items.filter(({ state }) => state === wanted).length,
  );
  const sum = `${behind} of ${items.length} behind${unknown ? `, ${unknown} could not be asked for` : ""}.`;
  return `${parts.join("\n\n")}\n\n${sum}`;
}

/**
 * By how much a version is behind, by its first number that differs.
 *
 * @returns undefined when it is not behind
 */
export function distance(current: string, latest: string): string | undefined {
  const [from, to] = [current, latest].map((version) =>
    version
      .replace(/^[^\d]*/, "")
      .split(/[.+-]/)
      .map((part) => Number.parseInt(part)),
  );
  const names = ["major", "minor", "patch"] as const;
  for (const [index, name] of names.entries()) {
    const difference = (to?.[index] ?? 0) - (from?.[index] ?? 0);
    if (difference < 0) return undefined;
    if (difference > 0) return `${difference} ${name} version${difference === 1 ? "" : "s"}`;
  }
  return current === latest ? undefined : "a newer build";
}
