import type { Call } from "../../../../rehearsal/cloud/call-log.ts";
import { clientOf, Clients } from "../../../../rehearsal/cloud/clients.ts";

test.each([
  ["hcloud-terraform/1.60.1 hcloud-go/2.36.0", "Terraform hcloud"],
  ["hcloud-terraform/not build yet hcloud-go/2.47.0", "Pulumi hcloud"],
  ["hcloud-cli/1.57.0 hcloud-go/2.36.0", "hcloud command line"],
  ["hcloud-python/2.10.0 python-requests/2.32", "hcloud-python"],
  ["hcloud-go/2.36.0", "hcloud-go"],
  ["Cloudflare/Python 4.3.1", "cloudflare-python"],
  ["python-requests/2.32.3", "Python"],
  ["Python-urllib/3.11", "Python"],
  ["curl/8.14.1", "curl"],
  ["node", "Node.js"],
  ["Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0", "browser"],
  ["my-tool/1.0 (something)", "my-tool"],
  ["<script>", "unknown client"],
  ["", "no User-Agent"],
])("%s is %s", (agent, client) => {
  expect(clientOf(agent)).toBe(client);
});

let second = 0;
const call = (agent: string, status: number, path = "hetzner:/servers"): Call => ({
  ...{ time: new Date(Date.UTC(2026, 0, 1) + second++ * 1000).toISOString(), method: "GET", path, status },
  ...{ milliseconds: 1, problem: status === 200 ? null : "not_found: no luck", agent },
});

test("clients with errors come first, the latest error at the top", () => {
  const clients = new Clients();
  for (const one of [
    call("curl/8", 404),
    call("python-requests/2", 500),
    call("curl/8", 200),
    call("hcloud-go/2", 200),
    call("node", 0),
    call("python-requests/3", 200),
  ]) {
    clients.add(one);
  }
  expect(clients.all.map(({ client, total, errors }) => [client, total, errors])).toEqual([
    ["Node.js", 1, 1],
    ["Python", 2, 1],
    ["curl", 2, 1],
    ["hcloud-go", 1, 0],
  ]);
  const python = clients.all.find(({ client }) => client === "Python");
  expect(python).toMatchObject({ lastError: { status: 500 }, agents: ["python-requests/3", "python-requests/2"] });
  expect(python?.last.map(({ status }) => status)).toEqual([200, 500]);
});

test("it keeps the last calls of each client, counts all, and the number of clients is limited", () => {
  const clients = new Clients();
  for (let number = 0; number < 50; number++) clients.add(call("curl/8", 200, `hetzner:/servers/${number}`));
  for (let number = 0; number < 100; number++) clients.add(call(`tool-${number}/1`, 200));
  const curl = clients.all.find(({ client }) => client === "curl");
  expect([curl?.total, curl?.last.length, curl?.last[0]?.path]).toEqual([50, 20, "hetzner:/servers/49"]);
  expect(clients.all).toHaveLength(31);
  expect(clients.all.find(({ client }) => client === "others")?.total).toBe(71);
});
