/** A stack on this machine is on one Docker Engine. */
import { moveBetween } from "../../../policy/dangers.ts";
import { foundBothWays, graphsBetween, stackOf, titles } from "./support.ts";

const at = (dockerHost: string) => stackOf("development", { dockerHost });
const [one, other] = ["unix:///var/run/docker.sock", "tcp://192.0.2.1:2375"];

test("another one is refused, in a state as between files, until the stack agrees", async () => {
  for (const found of await foundBothWays(at(one), at(other), "dockerHost")) {
    expect(found).toEqual([
      expect.objectContaining({
        severity: "refused",
        happens: expect.stringContaining(`would change from ${one} to ${other}`) as string,
        instead: expect.stringMatching(/make down; if that engine is gone with its data, list dockerHost/) as string,
      }),
    ]);
  }
  const { before, after } = await graphsBetween(at(one), at(other));
  expect(titles(moveBetween(before, after, { agreed: ["dockerHost"] }))).toEqual(["danger dockerHost"]);
});

test("the same one, and the address of a server that is made again, are not", async () => {
  for (const found of await foundBothWays(at(one), at(one), "dockerHost")) expect(found).toEqual([]);
  for (const found of await foundBothWays(stackOf("mvp"), stackOf("mvp"), "dockerHost")) expect(found).toEqual([]);
});
