/** The ACME authority of a cloud whose clock was moved forward: it goes on, and issues for the later time. */
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { acmeHostname } from "../../../rehearsal/acme/acme-hostname.ts";
import { AcmeAuthority } from "../../../rehearsal/acme/acme-authority.ts";
import { CertificateAuthority } from "../../../rehearsal/cloudflare/authority.ts";
import type { CloudflareObjects } from "../../../rehearsal/cloudflare/state.ts";
import { acme as program, ensureProgram } from "../../../rehearsal/programs/programs.ts";
import { Store } from "../../../rehearsal/store.ts";
import { temporaryFolder } from "../../../testing/folder.ts";

const day = 86_400_000;
const host = "127.96.255.3";

test("after 40 days its certificates end 40 days later, and its own endpoint is still trusted", async () => {
  const store = new Store<CloudflareObjects>(":memory:");
  const folder = temporaryFolder("acme");
  let ahead = 0;
  const authority = new AcmeAuthority({
    ...{ program: await ensureProgram(program, { root: process.cwd() }), folder, host, store },
    resolver: { resolve: () => ({ code: "NXDOMAIN", answers: [] }) },
    now: () => new Date(Date.now() + ahead),
  });
  const { certificate: ca } = await CertificateAuthority.open(store, "public");
  const tls = { ca, servername: acmeHostname, agent: false };
  const directory = () =>
    new Promise<string>((settle, fail) => {
      const call = request(`https://${host}/dir`, { ...tls, headers: { "user-agent": "test" } }, (answer) => {
        let text = "";
        answer.setEncoding("utf8").on("data", (part: string) => (text += part));
        answer.on("end", () => {
          settle(text);
        });
      });
      call.once("error", fail);
      call.end();
    });
  const validity = (): unknown => /"validityPeriod":(\d+)/.exec(readFileSync(join(folder, "config.json"), "utf8"))?.[1];
  try {
    await authority.start();
    expect(await directory()).toContain("newOrder");
    expect(validity()).toBe(String((90 * day) / 1000));
    ahead = 40 * day;
    await authority.restart();
    expect(await directory()).toContain("newOrder");
    expect(Number(validity())).toBeCloseTo((130 * day) / 1000, -1);
    // What it issued before is verified all the same.
    expect(authority.roots.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
  } finally {
    await authority.stop();
  }
}, 600_000);
