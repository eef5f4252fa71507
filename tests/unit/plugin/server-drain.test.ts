/** A server that goes away: its work ends before, and one that is gone holds nobody up. */
import { OrionProvider } from "../../../plugin/provider.ts";
import { type Command, runBy } from "../support/process.ts";

const urn = "urn:pulumi:prod::orion::orion:fleet:Fleet$orion:index:ServerDrain::worker-1-drain";
const inputs = { host: "ssh://root@192.0.2.7", sshOptions: ["-o", "ConnectTimeout=10"], stack: "prod" };

test.each([0, 255, undefined])("every container is ended in its own time; what ssh says of it is %s", async (code) => {
  const commands: Command[] = [];
  const provider = new OrionProvider(
    runBy((command) => {
      commands.push(command);
      return { code };
    }),
  );
  await provider.create(urn, inputs);
  expect(commands).toEqual([]);
  await provider.delete("", urn, inputs);
  expect(commands).toHaveLength(1);
  expect(commands[0]).toMatchObject({
    program: "ssh",
    args: [...inputs.sshOptions, "-o", "BatchMode=yes", "root@192.0.2.7", "sh -s"],
  });
  // A worker has 310 seconds for its tasks.
  expect(commands[0]?.timeoutSeconds).toBeGreaterThan(310);
  expect(commands[0]?.input).toMatch(/label=app=orion --filter label=stack=prod \| xargs -r docker stop\n$/);
});
