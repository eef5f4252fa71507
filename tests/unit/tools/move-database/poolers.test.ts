/** The poolers during a move, without a server: what they are told, in which order, and what happens when one does not obey. */
import { spawnSync } from "node:child_process";
import { hostIn, type Pooler, poolersOf } from "../../../../tools/move-database/poolers.ts";
import { outcomeOf } from "../../support/process.ts";

const configs = {
  source: "[databases]\norion_db = host=gateway port=5434 dbname=orion_db user='orion_app_a' password='own'\n",
  target: "[databases]\norion_db = host=db.example.net port=5432 dbname='shop' user='app' password='it''s'\n",
};

const users = '"orion_pooler" "lookup"\n"orion_app_a" "own"\n';

function pooler(name: string, leadsTo: string) {
  const scripts: string[] = [];
  const made: Pooler = {
    ...{ name, container: `orion-${name}` },
    configOf: (logins) => `${configs.target}${Object.keys(logins).join(" ")}`,
    run: (script) => {
      scripts.push(script);
      return Promise.resolve(
        script.includes("PAUSE") && leadsTo === "nobody"
          ? outcomeOf({ code: 1, stderr: "no such container" })
          : outcomeOf({
              stdout: script.includes("cat") && !script.includes("SHOW") ? users : `orion_db|${leadsTo}|5432|`,
            }),
      );
    },
  };
  return { made, scripts };
}

test("what they are told is what every shell understands, and a password is in no argument", async () => {
  const { made, scripts } = pooler("pgbouncer-app-1", "db.example.net");
  const poolers = poolersOf([made]);
  await poolers?.prepare();
  await poolers?.pause();
  await poolers?.paused();
  await poolers?.switchToTarget();
  await poolers?.resume();
  for (const script of scripts)
    expect(spawnSync("sh", ["-n"], { input: script, encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
  // Before they are paused, they are told to go on by themselves after a while.
  expect(scripts[1]).toMatch(
    /docker exec --detach orion-pgbouncer-app-1 [^]*sleep 60;[^]*RESUME[^]*KILL orion_session[^]*PAUSE orion_db/,
  );
  expect(scripts[3]).toMatch(
    /<<'ORION-END'[^]*password='it''s'[^]*orion_pooler orion_app_a\n[^]*RELOAD[^]*SHOW DATABASES/,
  );
  expect(scripts[4]).toMatch(/RESUME orion_db[^]*RESUME orion_session/);
});

test("they are paused once each says that it sends nothing new, wherever its version has the column", async () => {
  const { made, scripts } = pooler("one", "db.example.net");
  await poolersOf([made])?.pause();
  const [, waits = ""] = scripts;
  const heard = (...lines: readonly string[]) => {
    const answer = `docker() { cat <<'X'\n${lines.join("\n")}\nX\n}\n`;
    const once = waits.replace("-lt 50", "-lt 1");
    return spawnSync("sh", ["-c", answer + once], { encoding: "utf8" }).status;
  };
  expect(heard("name|host|paused|disabled", "orion_db|h|1|0", "(1 row)")).toBe(0);
  expect(heard("name|host|port|paused|disabled", "orion_session|h|5434|1|0", "orion_db|h|5434|0|1")).toBe(1);
});

test("a pooler that cannot be paused, or that leads elsewhere, is named", async () => {
  const silent = poolersOf([pooler("one", "nobody").made]);
  await expect(silent?.pause()).rejects.toThrow("The pooler one cannot be paused: no such container");
  const other = poolersOf([pooler("one", "db.example.net").made, pooler("two", "gateway").made]);
  await expect(other?.switchToTarget()).rejects.toThrow("The pooler two did not take the configuration");
});

test("a stack without poolers has none, and a configuration says where it leads", () => {
  expect(poolersOf([])).toBeUndefined();
  expect([hostIn(configs.source), hostIn(configs.target)]).toEqual(["gateway", "db.example.net"]);
});
