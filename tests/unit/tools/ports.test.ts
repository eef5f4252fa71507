import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { plan } from "../../../topology/plan.ts";
import { portConflicts, requireFreePorts } from "../../../tools/ports.ts";
import { settingsOf } from "../support/settings.ts";

test("a port in use is a conflict, with its service and its holder", async () => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  // No Docker Engine is there: unit tests need none.
  const topology = plan("dev", settingsOf("development", { services: ["docs"], ports: { docs: port, database: 1 } }));
  const docsAlone = { ...topology, services: topology.services.filter(({ name }) => name === "docs") };
  const noDocker = `unix://${join(tmpdir(), "orion-none.sock")}`;
  const conflicts = await portConflicts(docsAlone, noDocker);
  const refusal = await requireFreePorts(docsAlone, noDocker).catch(String);
  await new Promise((resolve) => server.close(resolve));
  expect(conflicts).toMatchObject([{ service: "docs", address: "127.0.0.1", port }]);
  expect(conflicts[0]?.holder).not.toBe("");
  const [, other] =
    /choose another port: npx pulumi config set --path ports\.docs (\d+) --stack dev/.exec(refusal ?? "") ?? [];
  expect(Number(other)).toBeLessThanOrEqual(65535);
});
