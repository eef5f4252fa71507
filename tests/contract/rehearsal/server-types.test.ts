/** Types of servers by a plain `pulumi up` at the emulated API: sold out, kept, changed. No machine is behind it. */
import { chmodSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isRecord } from "../../../common/record.ts";
import { Project, succeed } from "./project.ts";
import { HetznerApi, hetznerToken } from "./support/hetzner.ts";
import { temporaryFolder } from "../../../testing/folder.ts";

const root = resolve(__dirname, "..", "..", "..");
jest.setTimeout(600_000);

/** A folder with an ssh that finds every server well. */
function wellServers(): string {
  const folder = temporaryFolder("ssh");
  writeFileSync(join(folder, "ssh"), "#!/bin/sh\ncat >/dev/null\n");
  chmodSync(join(folder, "ssh"), 0o755);
  return folder;
}

test("a new server gets what there is and keeps it; another list gives it another type, and no update takes that back", async () => {
  const api = new HetznerApi();
  const programs = wellServers();
  const project = new Project(root, "server-types.ts", {
    HCLOUD_TOKEN: hetznerToken,
    HCLOUD_ENDPOINT: await api.endpoint,
    PATH: `${programs}:${join(root, "node_modules", ".bin")}:${process.env["PATH"] ?? ""}`,
  });
  const set = async (keys: Readonly<Record<string, string>>) => {
    for (const [key, value] of Object.entries(keys)) succeed(await project.pulumi("config", "set", key, value));
  };
  const up = async (...args: string[]) => succeed(await project.pulumi("up", "--yes", "--skip-preview", ...args));
  const still = () => up("--expect-no-changes", "--diff");
  const servers = async () => {
    const { servers: found } = await api.do("GET", "/servers?sort=id");
    return (Array.isArray(found) ? found : []).filter(isRecord).map((one) => {
      const { server_type: type, labels, status } = one;
      const named = isRecord(type) && isRecord(labels) ? [type["name"], labels["phase"]] : [];
      return [...named, status].join(" ");
    });
  };
  try {
    succeed(await project.pulumi("stack", "init", "probe"));
    const poll = { "hcloud:pollInterval": "50ms", "hcloud:pollFunction": "constant" };
    await set({ ...poll, count: "1", phase: "mvp", types: "cpx22,cx33" });
    await api.fault({ kind: "sold_out", serverType: "cpx22", locations: ["fsn1"] });
    await up();
    expect(await servers()).toEqual(["cx33 mvp running"]);

    // It can be had again, and the next server gets it.
    await api.faults.remove();
    await still();
    await set({ count: "2" });
    await up();
    expect(await servers()).toEqual(["cx33 mvp running", "cpx22 mvp running"]);

    // Of a new list, the first is sold out. Neither another change of the server takes the second back, nor a look at it.
    await api.fault({ kind: "sold_out", serverType: "cpx32", locations: ["fsn1"] });
    await set({ count: "1", types: "cpx32,cx43" });
    await up();
    expect(await servers()).toEqual(["cx43 mvp running"]);
    await set({ phase: "scale" });
    expect(await up()).not.toContain("replaced");
    succeed(await project.pulumi("refresh", "--yes", "--skip-preview"));
    await still();
    await set({ phase: "enterprise" });
    await up();
    expect(await servers()).toEqual(["cx43 enterprise running"]);

    // What cannot be had leaves it as it is, and at work.
    await set({ types: "cpx32" });
    const failed = await project.pulumi("up", "--yes", "--skip-preview");
    expect(failed.output).toContain("runs again with its old type cx43: Hetzner has none of cpx32 available in fsn1");
    expect(await servers()).toEqual(["cx43 enterprise running"]);
    expect(api.failures).toEqual([]);
  } finally {
    project.dispose();
  }
});
