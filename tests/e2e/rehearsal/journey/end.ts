/** The end of the way: what is taken down, and what must not have been touched. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cloudFolder, rehearsalFolder } from "../../../../rehearsal/cloud/settings.ts";
import { documented } from "../../../../testing/documented.ts";
import { succeed } from "../../../../testing/sandbox.ts";
import { remainsOf } from "../../../../testing/cloud-remains.ts";
import { filesOf, type Journey, type Stop } from "./journey.ts";

/** @param journey before its first stop */
export function endOf(journey: Journey): Stop {
  const { root, own, cloud } = journey;
  const hostBefore = remainsOf(own);
  const statePath = join(root, ".orion", "state", ".pulumi", "stacks", "orion", "prod.json");
  const realState = () => (existsSync(statePath) ? readFileSync(statePath, "utf8") : "none");
  const stateBefore = realState();
  const folder = rehearsalFolder(root, own.name, "prod");

  return {
    name: "the end",
    tests: () => {
      test("the real stack is not touched, and no file of the rehearsal has the token in clear text", () => {
        expect(realState()).toBe(stateBefore);
        const { token } = cloud.settings;
        const files = filesOf(folder);
        expect(files.some((path) => path.endsWith("stacks/orion/prod.json"))).toBe(true);
        expect(files.filter((path) => readFileSync(path, "utf8").includes(token))).toEqual([]);
      });

      test("nothing is deleted while it is protected; with the protection off, the engine takes everything away again", async () => {
        const here = (command: string) => command.replace("npx pulumi", `npx pulumi -C '${folder}'`);
        const destroy = `${here(documented("npx pulumi destroy -s prod"))} --yes --skip-preview`;
        const asked = destroy.replace("--yes --skip-preview", "--preview-only");
        const { status, stdout } = spawnSync("sh", ["-c", asked], { cwd: root, env: process.env, encoding: "utf8" });
        expect(status).not.toBe(0);
        expect(stdout).toMatch(/cannot be deleted\s+because it is protected/);
        emptyBuckets(join(cloudFolder(root, own.name), "objects", "objects"));
        journey.sh(here(documented("npx pulumi config set orion:protection false -s prod")));
        journey.sh(`${here(documented("npx pulumi up -s prod"))} --yes --skip-preview`);
        journey.sh(destroy);
        expect(await cloud.status()).toMatchObject({ servers: [], balancers: [], records: [], buckets: [] });
        for (const kind of ["volumes", "networks", "primary_ips", "firewalls", "placement_groups", "ssh_keys"]) {
          const names = (await cloud.list(`/${kind}`, kind)).map(({ name }) => name);
          expect([kind, names]).toEqual([kind, []]);
        }
      });

      test("it goes with its cloud", () => {
        succeed(cloud.runDocumented(documented("make cloud-down")));
        expect(existsSync(cloudFolder(root, own.name))).toBe(false);
        const { code, output } = cloud.runMake("doctor", ["REHEARSAL=1"]);
        expect(code).not.toBe(0);
        expect(output).toContain(`make rehearse STACK=prod CLOUD=${own.name}`);
        expect(remainsOf(own)).toEqual(hostBefore);
      });
    },
  };
}

/** A bucket that has files cannot be deleted, at Cloudflare no more than here. */
function emptyBuckets(objects: string): void {
  for (const bucket of readdirSync(objects)) {
    for (const name of readdirSync(join(objects, bucket))) rmSync(join(objects, bucket, name), { recursive: true });
  }
}
