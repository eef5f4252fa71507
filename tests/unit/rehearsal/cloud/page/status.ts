/** A status of a cloud for the tests of its page. */
import { readStatus, type Status } from "../../../../../rehearsal/cloud/status.ts";

/** A status in which every text is what `name` makes of it. */
export function statusOf(name: (what: string) => string): Status {
  const failed = {
    ...{ time: "2026-01-01T10:11:12.000Z", method: name("GET"), path: name("hetzner:/servers"), status: 503 },
    ...{ milliseconds: 7, problem: name("server_error"), agent: name("curl/8") },
  };
  const answered = {
    ...{ time: "2026-01-01T10:11:13.000Z", method: "GET", path: "hetzner:/volumes", status: 200 },
    ...{ milliseconds: 1, problem: null, agent: "curl/8" },
  };
  const status = {
    ...{ instance: name("main"), machines: name("docker"), pid: 1, totalCalls: 120 },
    clock: { time: "2026-11-29T12:00:00Z", aheadMilliseconds: 0 },
    ...{ hetzner: name("hetzner"), cloudflare: name("cloudflare"), page: name("page") },
    ...{ edge: name("edge"), registry: name("registry") },
    servers: [
      {
        ...{ id: 12, name: name("core-1"), type: name("cx23"), status: "running", address: name("127.77.0.4") },
        ...{ private: [name("10.20.1.10"), name("10.20.1.11")], volumes: [name("data")], location: name("nbg1") },
        networks: [name("net")],
      },
      {
        ...{ id: 13, name: name("bare"), type: name("cx33"), status: "off", address: null, private: [], volumes: [] },
        ...{ location: name("hel1"), networks: [] },
      },
    ],
    networks: [{ id: 1, name: name("net"), range: name("10.20.0.0/16") }],
    volumes: [{ id: 1, name: name("data"), sizeGb: 10, location: name("nbg1"), server: name("core-1") }],
    balancers: [
      {
        ...{
          id: 1,
          name: name("edge-1"),
          address: name("127.77.0.9"),
          location: name("nbg1"),
          networks: [name("net")],
        },
        targets: [{ name: name("core-1"), health: [{ listen_port: 443, status: "unhealthy" }] }],
      },
    ],
    records: [{ name: name("www"), type: name("CNAME"), content: name("orion.example.com"), proxied: true }],
    buckets: [name("files")],
    faults: [
      { id: 3, kind: "reply", text: `reply message=${name("no-luck")}`, on: [] },
      {
        ...{ id: 4, kind: "volume_full", text: `volume_full volume=${name("data")}` },
        on: [{ type: "volume", name: name("data") }],
      },
    ],
    changes: [
      {
        ...{ key: "action-1", time: "2026-01-01T10:11:12.000Z", subject: "server", name: name("core-1") },
        ...{ verb: name("ready"), tone: "good", detail: name("after 3 s") },
      },
    ],
    clients: [
      {
        ...{ client: name("curl"), agents: [name("curl/8")], total: 2, errors: 1 },
        ...{ lastError: failed, last: [answered, failed] },
      },
    ],
    calls: [answered, failed],
  };
  const read = readStatus(status);
  if (!read) throw new Error("no status");
  return read;
}
