/** The client of a cloud's control API, against the process of a cloud. */
import { CloudClient } from "../../../../rehearsal/cloud/client.ts";
import { records } from "../../../../rehearsal/cloudflare/body.ts";
import { EmulatorProcess } from "../support/emulator.ts";

let cloud: EmulatorProcess;
beforeAll(async () => {
  cloud = await EmulatorProcess.start({ zones: ["example.com", "other.example:pro"] });
});
afterAll(() => cloud.dispose());

test("a zone gets another plan, once, and keeps it when the cloud is started again", async () => {
  const client = new CloudClient(cloud.settings);
  const plans = async () => {
    const { body } = await cloud.call("GET", "/client/v4/zones");
    return records(body["result"]).map(({ name, plan }) => [name, (plan as { legacy_id: string }).legacy_id]);
  };
  expect(await client.choosePlan("example.com", "pro")).toBe(true);
  expect(await client.choosePlan("example.com", "pro")).toBe(false);
  expect(await client.choosePlan("other.example", "free")).toBe(true);
  const chosen = [
    ["example.com", "pro"],
    ["other.example", "free"],
  ];
  expect(await plans()).toEqual(chosen);
  await cloud.kill();
  await cloud.up();
  expect(await plans()).toEqual(chosen);
  await expect(client.choosePlan("foreign.example", "pro")).rejects.toThrow(/has no zone foreign\.example/);
});
