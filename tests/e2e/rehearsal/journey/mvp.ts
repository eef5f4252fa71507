/** The first stop: the production stack on one server, from nothing, with changes and faults under load. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { officialImages } from "../../../../config/images.ts";
import { cloudFolder, rehearsalFolder } from "../../../../rehearsal/cloud/settings.ts";
import { documented } from "../../../../testing/documented.ts";
import { eventually } from "../../../../testing/eventually.ts";
import { withNeighbour } from "../../../../testing/red-team/neighbour.ts";
import { expectRedTeam } from "../../../../testing/red-team/table.ts";
import { filesOf, type Journey, type Stop } from "./journey.ts";

export const mvp: Stop = {
  name: "mvp, one server",
  tests: (journey) => {
    test("from nothing to a platform that answers through the edge, by the command that the report says", () => {
      journey.rehearse("mvp");
      expect(journey.report).toContain("orion/sample-app:");
      expect(journey.sh(`${curlOf(journey)}/health`)).toContain("ok");
    });
    commands(journey);
    closed(journey);
    changes(journey);
    faults(journey);
    test("every order of the way is there", () => journey.expectAllOrders());
  },
};

/** The command of the report that visits the platform, to be ended with a path. */
function curlOf({ report }: Journey): string {
  const [command] = /curl --resolve .*https:\/\/orion\.example\.com/.exec(report) ?? [];
  if (command === undefined) throw new Error(`the report says no curl:\n${report}`);
  return command.replace("curl", "curl --silent --fail --show-error");
}

function commands(journey: Journey): void {
  const { root, own } = journey;

  test("files go to the cloud's object storage and come back", () => {
    const curl = curlOf(journey);
    const answer = journey.sh(`echo hello | ${curl}/uploads --form 'file=@-;filename=greeting.txt'`);
    const [, key = ""] = /"key": *"([^"]+)"/.exec(answer) ?? [];
    expect(journey.sh(`${curl}/uploads/${key}`)).toBe("hello\n");
    expect(filesOf(join(cloudFolder(root, own.name), "objects")).some((path) => path.endsWith(key))).toBe(true);
  });

  test("done again, it changes nothing, and neither does a look at what is really there", () => {
    journey.rehearseAgain("mvp");
    const folder = rehearsalFolder(root, own.name, "prod");
    journey.sh(`npx pulumi -C '${folder}' preview --refresh --expect-no-changes --stack prod`);
  });

  test("a backup goes to its bucket and can be restored", () => {
    expect(journey.asDocumented(documented("make backup STACK=prod"))).toMatch(
      /Z is complete \(\d+ s\); complete backups now: 1,/,
    );
    expect(journey.asDocumented(documented("make restore-drill STACK=prod"))).toMatch(
      /\d+ rows, all as they were backed up; \d+ s/,
    );
  });

  test("the database can be restored to a second: every order up to it is there, and none after it", async () => {
    const { cloud, platform } = journey;
    // The first base backup begins by itself.
    await eventually(() => {
      expect(platform.on("orion-archive", "facts")).toMatch(/^full \d+$/m);
    }, 240);
    const count = () =>
      Number(platform.on("docker", "exec", "orion-prod-database", "psql", "-XtAc", "SELECT count(*) FROM orders"));
    const order = async (times: number) => {
      for (let time = 0; time < times; time++) expect(await platform.order()).toBe(201);
    };
    await order(3);
    const before = count();
    await sleep(1100);
    const time = new Date().toISOString().slice(0, 19).replace("T", " ");
    await sleep(1100);
    await order(2);
    expect(count()).toBe(before + 2);
    const { code, output } = cloud.runMake("restore-drill", ["REHEARSAL=1", `TIME=${time}`]);
    expect([code, output]).toEqual([0, expect.stringContaining(`restored public.orders: ${before} rows`)]);
    expect(output).toMatch(new RegExp(`${time} was restored: \\d+ tables, \\d+ rows; \\d+ s in all`));
    const refused = cloud.runMake("restore", ["REHEARSAL=1", `TIME=${time}`]);
    expect([refused.code, refused.output]).toEqual([
      2,
      expect.stringContaining("without a terminal, agree with YES=1"),
    ]);
    const restored = cloud.runMake("restore", ["REHEARSAL=1", "YES=1", `TIME=${time}`]);
    expect([restored.code, restored.output]).toEqual([
      0,
      expect.stringContaining(`the database has the data of ${time} UTC`),
    ]);
    // Before anything places an order, which `ready` does as well.
    expect(count()).toBe(before);
    await platform.ready();
    await platform.healthy();
  });

  test("the commands reach it with REHEARSAL=1", () => {
    expect(journey.expectWell()).toMatch(/^ok +backup +1 complete, the newest 0 h old$/m);
    expect(journey.asDocumented(documented("make doctor STACK=prod"))).toContain("All of 'prod' is well.");
    expect(journey.asDocumented(documented("make backup-key STACK=prod"))).toMatch(/^AGE-SECRET-KEY-1/m);
    for (const diff of [documented("make diff STACK=prod"), documented("make diff STACK=prod TO=mvp REHEARSAL=1")]) {
      expect(journey.asDocumented(diff)).toContain("nothing changes");
    }
    const psql = `echo 'SELECT count(*) FROM alembic_version' | make --no-print-directory psql REHEARSAL=1 CLOUD=${own.name}`;
    expect(journey.sh(psql)).toMatch(/^ +1$/m);
  });
}

function closed({ root, cloud }: Journey): void {
  test("from everywhere and with every credential, what can be reached and done is the red team's table", () =>
    withNeighbour(cloud, async (neighbour, address) => {
      // It is the server's filter that closes it, not the network: packets that ask for an answer get one.
      const [core] = (await cloud.status()).servers;
      expect(cloud.ssh(address, `ping -c 1 -W 2 ${core?.private[0] ?? ""}`).output).toContain("1 received");
      await expectRedTeam("red-team-mvp", { root, cloud, neighbour, half: "short" });
    }));
}

const accessSchema = z.object({ "core-1": z.object({ shell: z.string() }) });

function changes(journey: Journey): void {
  const { root, cloud, platform, own } = journey;
  const pulumi = (command: string) => {
    const folder = rehearsalFolder(root, own.name, "prod");
    return journey.sh(`npx pulumi -C '${folder}' ${command} --stack prod`);
  };

  test("a deploy under load fails no request, loses no order and runs every task", async () => {
    const { reconnected } = await journey.unnoticed(() => {
      platform.configure("app.environment.GREETING", "hello");
      pulumi("up --yes --skip-preview");
    });
    expect(reconnected).toBeGreaterThan(0);
    const shell = `make --no-print-directory shell SERVICE=app REHEARSAL=1 CLOUD=${own.name}`;
    expect(journey.sh(`echo 'echo $GREETING' | ${shell}`)).toContain("hello");
  });

  test("another host name, certificates from another authority, their renewal and a setting of the edge cost no request either", async () => {
    // Settings of the rehearsal alone: `make rehearse` would bring the image along.
    journey.sh("node images/build.ts certbot");
    await cloud.deliver(officialImages.certbot);
    await journey.unnoticed(() => {
      platform.configure("edge.tls", "acme");
      platform.configure("edge.bodyLimitMb", "40");
      platform.configure('domains["www.example.com"]', "redirect");
      pulumi("up --yes --skip-preview");
      const other = curlOf(journey).replaceAll("orion.example.com", "www.example.com");
      const answer = journey.sh(`${other}/a --silent --output /dev/null --write-out '%{http_code} %{redirect_url}'`);
      expect(answer).toMatch(/^30[18] https:\/\/orion\.example\.com\/a$/);
      const { "core-1": core } = accessSchema.parse(JSON.parse(pulumi("stack output access --json")));
      const current = "/var/lib/orion/acme/edge/current/edge.crt";
      const certificate = () => journey.sh(`${core.shell} openssl x509 -in ${current} -noout -issuer -serial`);
      const first = certificate();
      expect(first).toContain("Pebble");
      const renewed = journey.sh(`${core.shell} orion-certificate renew`);
      expect(renewed).toContain("The certificate of orion.example.com www.example.com is valid until");
      expect(certificate()).not.toBe(first);
      // A name is given up only by somebody who says so.
      platform.forget("domains");
      platform.configure("agreed[0]", "www.example.com");
      pulumi("up --yes --skip-preview");
    });
  });
}

function faults(journey: Journey): void {
  const { cloud, platform, servers } = journey;

  // After a change of the edge's files: Docker must not think that a container whose files were changed is not to come back.
  test("after a power failure a server comes back with its Volume, and no order is lost", async () => {
    const { failures } = await journey.underLoad(async () => {
      await platform.cutPower();
      await platform.ready();
      await platform.healthy();
    });
    expect(failures.length).toBeGreaterThan(0);

    expect(platform.on("findmnt", "--noheadings", "--output", "SOURCE", "/mnt/orion-data")).toMatch(/HC_Volume_\d+/);
    const started = (unit: string) =>
      Number(platform.on("systemctl", "show", "--value", "--property", "ActiveEnterTimestampMonotonic", unit));
    expect(started("orion-volume.service")).toBeGreaterThan(0);
    expect(started("orion-volume.service")).toBeLessThan(started("docker.service"));
    // Below the mount, on the server's own disk, lies nothing.
    const below =
      "mkdir -p /tmp/disk && mount --bind / /tmp/disk && ls -A /tmp/disk/mnt/orion-data && umount /tmp/disk";
    expect(platform.on("sh", "-c", below)).toBe("");
  });

  test.each([
    ["broker", 0],
    ["worker", 0],
    // What an instance of the app had in its hands, requests and WebSockets, goes with it.
    ["app", 6],
    ["database", Infinity],
    ["edge", Infinity],
  ] as const)("a container that is killed comes back by itself: %s", async (kind, mostFailures) => {
    const { failures } = await journey.underLoad(async () => {
      const { name } = servers.service(kind);
      await platform.kill(name);
      await platform.healthy(name);
      await platform.ready();
    });
    expect(failures.slice(mostFailures)).toEqual([]);
  });

  test("a full Volume refuses orders and says so; with free space the platform recovers without help", async () => {
    const rows = "SELECT 'filler-' || n, 'lamp', 1, 'someone@example.com' FROM generate_series(1, 20000) n";
    const { failures } = await journey.underLoad(async () => {
      const empty = await platform.fillVolume();
      // What the table has room for within its pages is soon used up; this uses it up at once, and fails.
      const fill = `INSERT INTO orders (reference, item, quantity, email) ${rows}`;
      const { container } = servers.service("database");
      try {
        expect(() => platform.on("docker", "exec", container, "psql", "-c", fill)).toThrow(/No space left/);
        await eventually(async () => {
          expect(await platform.order()).toBe(503);
        });
        const { code, output } = cloud.runMake("doctor", ["REHEARSAL=1"]);
        expect(code).not.toBe(0);
        expect(output).toMatch(/PROBLEM +volume of core-1 +100% used/);
        expect(output).toMatch(/volume of core-1: .*full.*\n +do: .*database\.volumeGb/);
      } finally {
        await empty();
      }
      await platform.ready();
    });
    // Orders of the load may all be taken: a connection goes on writing to a page with room that no other connection knows.
    const refused = 'order: POST /orders: 503 instead of 201: {"detail":"database unavailable"}';
    expect(failures.map(({ what, why }) => `${what}: ${why}`).filter((failure) => failure !== refused)).toEqual([]);
    journey.expectWellAfterFaults();
  });

  test("an update that is killed under load is taken up by the next one, and fails no request", async () => {
    await journey.unnoticed(async () => {
      // It takes the settings back that the changes have made: the apps and the edge change again.
      await journey.killedRehearsal("mvp", /Container app\S* creating/, 8);
      journey.rehearse("mvp");
      await platform.healthy();
    });
    expect(new Set(platform.services()).size).toBe(platform.services().length);
  });
}
