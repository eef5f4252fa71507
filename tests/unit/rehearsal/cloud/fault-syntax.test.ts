import { faultKinds, parseFault, faultUsage, formatFault } from "../../../../rehearsal/cloud/fault-syntax.ts";
import { faultSchema } from "../../../../rehearsal/faults.ts";

test.each([
  [
    "reply api=hetzner path=/servers status=503 rate=0.2 times=3",
    { kind: "reply", api: "hetzner", path: "/servers", status: 503, rate: 0.2, times: 3 },
  ],
  ["delay api=cloudflare seconds=1.5", { kind: "delay", api: "cloudflare", seconds: 1.5 }],
  ["timeout api=hetzner method=POST", { kind: "timeout", api: "hetzner", method: "POST" }],
  [
    "action resource=server/core-1 code=action_failed",
    { kind: "action", resource: { type: "server", id: "core-1" }, code: "action_failed" },
  ],
  ["sold_out locations=fsn1,nbg1", { kind: "sold_out", locations: ["fsn1", "nbg1"] }],
  ["never_boots server=12", { kind: "never_boots", server: "12" }],
  ["partition servers=core-1,db-2", { kind: "partition", servers: ["core-1", "db-2"] }],
])("%s is the fault, and the fault is these words", (words, fault) => {
  expect(parseFault(words.split(" "))).toEqual(fault);
  expect(formatFault(fault)).toBe(words);
});

test("a text with blanks stays one", () => {
  const fault = { kind: "reply", api: "hetzner", status: 500, message: "no luck = no server" };
  expect(parseFault(["reply", "api=hetzner", "status=500", "message=no luck = no server"])).toEqual(fault);
  expect(formatFault(fault)).toBe('reply api=hetzner status=500 message="no luck = no server"');
});

test("what is a matter of course is left out", () => {
  const fault = { id: 3, ...faultSchema.parse({ kind: "reply", api: "hetzner", status: 429 }) };
  expect(formatFault(fault)).toBe("reply api=hetzner status=429");
});

test("the help has every kind of fault, in words that the cloud understands", () => {
  expect(Object.keys(faultKinds).sort()).toEqual(faultSchema.options.map(({ shape }) => shape.kind.value).sort());
  for (const [kind, { words }] of Object.entries(faultKinds)) {
    expect(faultUsage).toContain(`  ${kind} ${words}\n`);
    // The words as they are there: the first of several, names as numbers.
    const plain = words.replaceAll(/[[\]]/g, "").replaceAll("NAME", "1").replaceAll(/\|\w+/g, "");
    const fault = parseFault([kind, ...plain.split(" ")]);
    const numbered = { ...fault, ...numbersOf(fault), ...(kind === "volume_full" && { server: 1 }) };
    expect(faultSchema.safeParse(numbered).error).toBeUndefined();
  }
});

/** Naming as the cloud makes numbers of them. */
const numbersOf = ({ server, volume, servers, resource }: ReturnType<typeof parseFault>) => ({
  ...(server !== undefined && { server: Number(server) }),
  ...(volume !== undefined && { volume: Number(volume) }),
  ...(Array.isArray(servers) && { servers: servers.map(Number) }),
  ...(typeof resource === "object" && { resource: { type: "server", id: 1 } }),
});

test.each([
  [[], /A fault needs a kind; the kinds and their arguments:\n {2}reply api=/],
  [["replay", "api=hetzner"], /Unknown fault 'replay'; the kinds and their arguments:/],
  [
    ["partition", "core-1,db-2"],
    /Fault partition: got 'core-1,db-2', expected key=value as in\n {2}partition servers=NAME,NAME/,
  ],
])("%j is refused with what is expected", (words, message) => {
  expect(() => parseFault(words)).toThrow(message);
});
