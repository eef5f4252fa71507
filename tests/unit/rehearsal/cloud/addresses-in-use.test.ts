/** What a new cloud would listen at, and who is there already. */
import { createServer } from "node:net";
import { join } from "node:path";
import { freePort } from "../../../../common/ports.ts";
import { requireFreeAddresses } from "../../../../rehearsal/cloud/addresses-in-use.ts";
import { makeSettings } from "../../../../rehearsal/cloud/settings.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";

const clouds = temporaryFolder("clouds");
const settingsOf = (name: string, choices: object) => makeSettings(join(clouds, name), name, choices);
const check = (name: string, choices: object) => requireFreeAddresses(join(clouds, name), settingsOf(name, choices));

test("free addresses are fine", async () => {
  await check("free", { machines: "none", port: await freePort(), block: 91 });
});

test("the block of another cloud is named, with a free one", async () => {
  const port = await freePort();
  settingsOf("first", { block: 231, port });
  await expect(check("second", { block: 231, port: await freePort() })).rejects.toThrow(
    "The address block 231 belongs to the rehearsal cloud 'first'. Choose another block: make cloud-up CLOUD=second BLOCK=232",
  );
});

test.each([0, 1])("a port that somebody listens on is named (port + %s)", async (offset) => {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((listens) => server.listen(port + offset, "127.0.0.1", listens));
  try {
    await expect(check(`port${offset}`, { machines: "none", port })).rejects.toThrow(
      new RegExp(
        `127\\.0\\.0\\.1:${port + offset} is in use by .+\\. Choose another port: make cloud-up CLOUD=port${offset} PORT=${port + 10}`,
      ),
    );
  } finally {
    server.close();
  }
});
