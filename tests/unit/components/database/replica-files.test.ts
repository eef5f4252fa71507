/** Base backups that read a replica's files: what serves them may do, who may ask, and how the archive's command does. */
import { archiveSettingsFile } from "../../../../common/server-contract.ts";
import { archiveSettingsText } from "../../../../components/database/archive-script.ts";
import { replicaFilesConfiguration } from "../../../../components/database/replica-files-config.ts";
import { peersOf } from "../../../../topology/peers.ts";
import { plan } from "../../../../topology/plan.ts";
import { settingsOf } from "../../support/settings.ts";
import { sharedGraph } from "../../support/graphs.ts";

const stackWith = (phase: "mvp" | "scale", pointInTime = true) => {
  const settings = settingsOf(phase, { backups: { pointInTime } });
  return { settings, topology: plan("prod", settings), secrets: [] };
};
const inputsIn = async (stack: ReturnType<typeof stackWith>) => {
  const { resources } = await sharedGraph(stack);
  return (name: string): Record<string, unknown> => resources.find((one) => one.name === name)?.inputs ?? {};
};

test("it reads the replica's data and writes nothing, without root and privileges", async () => {
  const inputs = (await inputsIn(stackWith("scale")))("replica-files-db-2-server");
  expect(inputs).toMatchObject({
    ...{ user: "postgres", readOnly: true, capabilities: { adds: [], drops: ["ALL"] } },
    mounts: [{ source: "/mnt/orion-data/postgres", target: "/var/lib/postgresql/data", readOnly: true }],
    ports: [{ ip: "10.20.1.22", external: 8432, internal: 8432 }],
    // The replica's image: both ends of pgBackRest have one version.
    image: "sha256:db-2-image-database",
  });
});

test("it knows no object storage, and lets in the archive's certificate alone, which the primary has alone", async () => {
  const stack = stackWith("scale");
  const inputs = await inputsIn(stack);
  expect(replicaFilesConfiguration).not.toContain("repo");
  expect(replicaFilesConfiguration).toContain("\ntls-server-auth=archive=orion\n");
  const { files } = inputs("replica-files-db-2-config") as { files: Record<string, unknown> };
  expect(JSON.stringify(files)).not.toContain("repo1");
  const holders = (await sharedGraph(stack)).resources.filter(({ inputs: all }) =>
    Object.keys(all["files"] ?? {}).includes("archive.key"),
  );
  expect(holders.map(({ name }) => name)).toEqual(["database-files-live"]);
  expect(inputs("database-files-archive-tls-certificate")["allowedUses"]).toEqual(["digital_signature", "client_auth"]);
  expect(inputs("database-files-archive-tls-request")["subject"]).toEqual({ commonName: "archive" });
  // pgBackRest before 2.53 compares an address with names alone.
  expect(inputs("replica-files-db-2-tls-request")).toMatchObject({
    ...{ dnsNames: ["replica-files-db-2", "10.20.1.22"], ipAddresses: ["10.20.1.22"] },
  });
});

test("the servers of the primary's role reach it, and no other", () => {
  const { topology } = stackWith("scale");
  const db = topology.servers.find(({ name }) => name === "db-2");
  if (!db) throw new Error("no db-2");
  const rules = peersOf(topology, db).filter(({ port }) => port === 8432);
  expect(rules).toEqual([{ from: "10.20.1.11-10.20.1.20", port: 8432 }]);
});

test("the archive's command gets the replica's name, its slot and how it is reached; without a replica it does not", async () => {
  const settingsIn = async (phase: "mvp" | "scale"): Promise<string> => {
    const files = (await inputsIn(stackWith(phase)))("archive-files")["files"] as Record<string, { text: string }>;
    return files[archiveSettingsFile]?.text ?? "";
  };
  const text = await settingsIn("scale");
  for (const line of ["REPLICA='replica-1'", "REPLICA_SLOT='replica_1'", "REPLICA_WAIT=300"])
    expect(text).toContain(line);
  expect(text).toMatch(/^REPLICA_OPTIONS='--backup-standby .*--pg2-host=10\.20\.1\.22 --pg2-host-port=8432 /m);
  expect(await settingsIn("mvp")).toContain("REPLICA=''");
  const none = { container: "c", image: "i", filesVolume: "f", data: "/d", database: "d" };
  expect(archiveSettingsText(none)).not.toContain("REPLICA_");
});

test("a stack that archives nothing has none, and one without a replica has none", () => {
  const kinds = ({ topology }: ReturnType<typeof stackWith>) => topology.services.map(({ kind }) => kind);
  expect(kinds(stackWith("scale"))).toContain("replica-files");
  expect(kinds(stackWith("scale", false))).not.toContain("replica-files");
  expect(kinds(stackWith("mvp"))).not.toContain("replica-files");
});
