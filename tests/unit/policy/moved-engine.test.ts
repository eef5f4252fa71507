/** A stack on this machine is on one Docker Engine. */
import { foundBothWays, stackOf } from "./support.ts";

const at = (dockerHost: string) => stackOf("development", { dockerHost });
const [one, other] = ["unix:///var/run/docker.sock", "tcp://192.0.2.1:2375"];

test("another one is told, in a state as between files", async () => {
  for (const found of await foundBothWays(at(one), at(other), "dockerHost")) {
    expect(found).toEqual([
      expect.objectContaining({
        severity: "danger",
        happens: expect.stringContaining(`would change from ${one} to ${other}`) as string,
        instead: expect.stringContaining(`use ${one} as before`) as string,
      }),
    ]);
  }
});

test("the same one, and the address of a server that is made again, are not", async () => {
  for (const found of await foundBothWays(at(one), at(one), "dockerHost")) expect(found).toEqual([]);
  for (const found of await foundBothWays(stackOf("mvp"), stackOf("mvp"), "dockerHost")) expect(found).toEqual([]);
});
