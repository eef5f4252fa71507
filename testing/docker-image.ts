/** Builds an image for a test from a Dockerfile text. */
import { runSync } from "../common/process.ts";
import { succeed } from "./sandbox.ts";

/**
 * Builds it on this machine's engine. With a folder, the Dockerfile may copy its files.
 *
 * @throws with what the build said
 */
export function buildImage(tag: string, dockerfile: string, folder?: string): void {
  const from = folder === undefined ? ["-"] : ["--file", "-", folder];
  const { code = 1, output } = runSync("docker", ["build", "--quiet", "--tag", tag, ...from], {
    input: dockerfile,
    // The classic builder needs nothing that an engine of Debian does not have.
    environment: { DOCKER_BUILDKIT: "0" },
  });
  succeed({ code, output });
}
