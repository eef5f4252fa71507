/** Checks that this host can run machines: Linux, root, required programs, a running Docker Engine. */
import { must } from "../../common/process.ts";
import { UserError } from "../../common/user-error.ts";
import { commandFor, dockerAdvice } from "./commands.ts";

const needed = {
  docker: `the Docker Engine (${dockerAdvice})`,
  iptables: "iptables",
  "iptables-restore": "iptables",
  ip: "iproute2",
  losetup: "util-linux",
  nsenter: "util-linux",
  setpriv: "util-linux",
  mknod: "coreutils",
};

/** @throws {UserError} naming everything that is missing */
export async function checkHost(): Promise<void> {
  const advice = `Without machines, only the APIs run, on any host: ${commandFor("up", { machines: "none" })}`;
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    throw new UserError(
      "A rehearsal cloud with machines needs Linux and root: it creates networks, loop devices and packet filter rules.\n" +
        `Run it as root (sudo ${commandFor("up")}), or in a virtual machine. ${advice}`,
    );
  }
  const missing = new Set<string>();
  for (const [program, from] of Object.entries(needed)) {
    const found = await must("sh", ["-c", `command -v ${program}`]).catch(() => "");
    if (found === "") missing.add(from);
  }
  if (missing.size > 0) throw new UserError(`Missing on this machine: ${[...missing].join(", ")}. ${advice}`);
  await must("docker", ["version", "--format", "{{.Server.Version}}"]).catch((error: unknown) => {
    throw new UserError(`The Docker Engine does not answer (${String(error)}). Start it: ${dockerAdvice}. ${advice}`);
  });
}
