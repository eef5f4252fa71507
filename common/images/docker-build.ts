/** Runs one `docker build`: the context is sent as an archive, and only a complete image gets its name. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Outcome, Run } from "../process.ts";
import { contextArchive, type ContextFile } from "./context.ts";
import { buildEpoch } from "./debian.ts";

export interface BuildTools {
  readonly runner: Run;
  /** Folder of the log files. */
  readonly logs: string;
  /** Variables for `docker build`: which builder, and where packages come from. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface ImageBuild {
  /** Name of the log file and of the image in messages. */
  readonly title: string;
  readonly reference: string;
  readonly files: readonly ContextFile[];
  readonly args: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** Build arguments taken from the environment when set; Docker keeps proxy variables out of the image history. */
const passedOn = [
  ...["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY"].flatMap((name) => [name, name.toLowerCase()]),
  ...["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST"],
];

/**
 * Builds an image and tags it.
 *
 * @throws Error with the end of the log when the build fails.
 */
export async function buildImage(buildTools: BuildTools, order: ImageBuild): Promise<void> {
  const { runner, logs, environment } = buildTools;
  const scratch = mkdtempSync(join(tmpdir(), "orion-image-"));
  try {
    const idFile = join(scratch, "id");
    const pairs = (option: string, values: Readonly<Record<string, string>>) =>
      Object.entries(values).flatMap(([key, value]) => [option, `${key}=${value}`]);
    const known = { ...process.env, ...environment };
    const log = join(logs, `${order.title}.log`);
    mkdirSync(logs, { recursive: true });
    rmSync(log, { force: true });
    const outcome = await runner(
      "docker",
      [
        ...["build", "--network", "host", "--force-rm", "--iidfile", idFile],
        ...pairs("--build-arg", { SOURCE_DATE_EPOCH: String(buildEpoch), ...order.args }),
        ...passedOn.filter((name) => known[name]).flatMap((name) => ["--build-arg", name]),
        ...pairs("--label", order.labels),
        "-",
      ],
      { input: contextArchive(order.files, buildEpoch), environment, log },
    );
    if (outcome.code !== 0) throw buildFailure(order.title, outcome, log);
    const id = readFileSync(idFile, "utf8").trim();
    const tagged = await runner("docker", ["tag", id, order.reference]);
    if (tagged.code !== 0)
      throw new Error(`the image cannot be tagged as '${order.reference}': ${tagged.output.trim()}`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The error for a failed build, with the last lines of its output. */
export function buildFailure(title: string, { code, output }: Pick<Outcome, "code" | "output">, log: string): Error {
  const lines = output.trimEnd().split("\n").slice(-20);
  return new Error(
    `building the image '${title}' failed with exit code ${code ?? "none"}; the full log is in ${log} and ends with\n` +
      lines.map((line) => `  | ${line}`).join("\n"),
  );
}
