/** pg_hba.conf of the stacks' databases: who may log in from where. */
import { hbaText } from "../../../../components/database/hba.ts";
import { clientsOf } from "../../../../topology/clients.ts";
import { servicesOf } from "../../../../topology/topology.ts";
import { stackOf } from "../../policy/support.ts";

/** The rows of a server's file, their columns joined by one space. */
function rowsOf(phase: "mvp" | "scale", kind: "database" | "replica"): string[] {
  const { topology } = stackOf(phase);
  const [service] = servicesOf(topology, kind);
  if (!service) throw new Error(`no ${kind}`);
  return hbaText("orion_db", (kinds) => clientsOf(topology, service, kinds))
    .trimEnd()
    .split("\n")
    .map((row) => row.split(/ +/).join(" "));
}

const network = (rows: readonly string[], user: string) =>
  rows.filter((row) => row.includes(` ${user} `)).map((row) => row.split(" ")[3]);

test("with one server what does not move comes from the container network, and the superuser from nowhere", () => {
  expect(rowsOf("mvp", "database").filter((row) => !row.includes(" 10.20.1."))).toEqual([
    "local all all trust",
    "hostssl orion_db +orion_handover samenet scram-sha-256",
    "host all orion_user all reject",
    "hostssl orion_db orion_monitor 127.0.0.1/32 scram-sha-256",
    "hostssl orion_db +orion_app samenet scram-sha-256",
    "hostssl postgres orion_pooler samenet scram-sha-256",
    "hostssl orion_db orion_migrator samenet scram-sha-256",
    "hostssl orion_db orion_reader samenet scram-sha-256",
    "hostssl orion_db orion_backup samenet scram-sha-256",
    "host all all all reject",
    "host replication all all reject",
  ]);
});

test("in phase scale each role comes from the servers of its services only", () => {
  const rows = rowsOf("scale", "database");
  const apps = [
    "10.20.1.101/32",
    "10.20.1.102/31",
    "10.20.1.104/29",
    "10.20.1.112/28",
    "10.20.1.128/31",
    "10.20.1.130/32",
  ];
  const workers = ["10.20.1.131/32", "10.20.1.132/30", "10.20.1.136/29", "10.20.1.144/28", "10.20.1.160/32"];
  expect(network(rows, "+orion_app")).toEqual(["samenet", ...apps, ...workers]);
  expect(network(rowsOf("mvp", "database"), "+orion_app")).toEqual(network(rows, "+orion_app"));
  expect(network(rows, "orion_migrator")).toEqual(["samenet"]);
  const replicas = ["10.20.1.21/32", "10.20.1.22/31", "10.20.1.24/30", "10.20.1.28/31", "10.20.1.30/32"];
  expect(network(rows, "orion_replication")).toEqual(replicas);
  expect(network(rows, "orion_backup")).toEqual(replicas);
  expect(rows.filter((row) => /^host(ssl)? all /.test(row)).every((row) => row.endsWith(" reject"))).toBe(true);
});

test("a replica lets in who reads from it, and the backup that is taken beside it", () => {
  const rows = rowsOf("scale", "replica");
  expect(network(rows, "orion_reader").length).toBeGreaterThan(5);
  expect(network(rows, "orion_backup")).toEqual(["samenet"]);
});
