import { Database } from "../../components/database/database.ts";
import { DockerPlace } from "../../components/host/docker-place.ts";
import { compose } from "./support/compose.ts";

const naming = { stack: "dev", phase: "development" } as const;

function makeDatabase(data: "volume" | "memory") {
  return () => {
    const place = new DockerPlace("local", { naming, dockerHost: "unix:///x", images: { postgres: "postgres:15" } });
    const service = {
      name: "database",
      kind: "database",
      server: "local",
      container: "orion-dev-database",
      published: [{ address: "127.0.0.1", port: 5432, containerPort: 5432 }],
    } as const;
    return new Database("database", { place, service, memoryMb: 512, data });
  };
}

test.each(["preview", "up"] as const)(
  "%s: a database is a server, a protected volume and a protected password",
  async (mode) => {
    const { resources } = await compose(mode, makeDatabase("volume"));
    expect(resources).toEqual([]);
  },
);
