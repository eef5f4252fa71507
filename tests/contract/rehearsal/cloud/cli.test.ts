/** The faults of a cloud, the way a user switches them. */
import { EmulatorProcess } from "../support/emulator.ts";

jest.setTimeout(60_000);
let cloud: EmulatorProcess;
beforeAll(async () => {
  cloud = await EmulatorProcess.start();
});
afterAll(() => cloud.dispose());

const fault = (...words: string[]) => cloud.cli("fault", ...words);

test("faults are made, listed and ended", async () => {
  const { stdout } = await fault("add", "reply", "api=hetzner", "status=503", "message=no luck");
  expect(stdout).toBe('1  reply api=hetzner status=503 message="no luck"\n');
  const { status, body } = await cloud.call("GET", "/hetzner/v1/servers");
  expect([status, body["error"]]).toEqual([503, { code: "server_error", message: "no luck", details: null }]);

  await cloud.call("POST", "/rehearsal/faults", { kind: "sold_out", locations: ["fsn1", "nbg1"] });
  expect((await fault()).stdout).toBe(`${stdout}2  sold_out locations=fsn1,nbg1\n`);
  expect((await fault("add", "limit", "resource=server", "most=5")).stdout).toBe("3  limit resource=server most=5\n");
  expect((await fault()).stdout).toMatch(/^3 {2}limit .*resource=server/m);
  expect((await fault("remove", "1")).code).toBe(0);
  expect((await fault("remove", "all")).code).toBe(0);
  expect((await fault("list")).stdout).toMatch(/^Rehearsal cloud '.*' has no faults\. .*\n {2}reply api=hetzner/);
});

test("a power cut is over when it has happened", async () => {
  await cloud.call("POST", "/hetzner/v1/servers", { name: "web", server_type: "cx23", image: "debian-12" });
  expect((await fault("add", "killed", "server=web")).stdout).toBe("killed server=1\n");
  expect((await cloud.call("GET", "/hetzner/v1/servers/1")).body["server"]).toMatchObject({ status: "off" });
  expect((await cloud.call("GET", "/rehearsal/faults")).body).toEqual({ faults: [] });
});

test("what is refused says what to do", async () => {
  const refused = async (words: readonly string[], message: RegExp) => {
    const { code, stdout, stderr } = await fault(...words);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr.trimEnd()).toMatch(message);
  };
  await Promise.all([
    refused(
      ["add", "reply", "api=hetzer", "status=503"],
      /^Fault reply: .*expected one of "hetzner"\|"cloudflare"\n.*api/,
    ),
    refused(["remove", "7"], /^Fault 7 could not be removed: there is no fault 7$/),
    refused(["remove"], /^Got '', expected the number of a fault or 'all'; make cloud-fault lists the faults\.$/),
  ]);
});

test("the status says what is not well first, what changed, and which clients got errors", async () => {
  const create = (name: string) =>
    cloud.call("POST", "/hetzner/v1/servers", { name, server_type: "cx23", image: "debian-12", location: "nbg1" });
  await create("first");
  await create("second");
  await cloud.call("POST", "/rehearsal/faults", { kind: "killed", server: "second" });
  await cloud.call("GET", "/hetzner/v1/servers/77");
  const { stdout } = await cloud.cli("status");
  const lines = stdout.split("\n").map((line) => line.trim().replaceAll(/ +/g, " "));
  expect(lines[0]).toContain(`/?token=${cloud.settings.token}`);
  expect(lines).toContain("not well: server second: off");
  const at = (start: string) => lines.findIndex((line) => line.startsWith(start));
  expect(at("server second off cx23 in nbg1")).toBeGreaterThan(0);
  expect(at("server first running cx23 in nbg1")).toBeGreaterThan(at("server second off"));
  expect(lines).toContainEqual(expect.stringMatching(/^\d\d:\d\d:\d\d server second: went off without an API call$/));
  expect(lines).toContainEqual(
    expect.stringMatching(/^Node\.js: \d+ of \d+; last: .* GET hetzner:\/servers\/77 404 not_found/),
  );
});
