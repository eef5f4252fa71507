/** Schema of `orion:ports`: ports on 127.0.0.1 of a local stack. */
import { z } from "zod";
import { port } from "./value-schemas.ts";

export const ports = z
  .strictObject({
    database: port.describe("PostgreSQL."),
    testDatabase: port.describe("The PostgreSQL for tests."),
    cache: port.describe("Redis."),
    app: port.describe("The first instance of the app; the edge alone reaches the others."),
    flower: port.describe("Flower."),
    edge: port.describe("nginx, the entry point."),
    docs: port.describe("This documentation."),
  })
  .describe("Ports on 127.0.0.1 of a local stack.");
