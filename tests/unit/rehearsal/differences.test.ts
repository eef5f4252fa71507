/** Differences from the real APIs, said beside the routes that they are about. */
import fastify from "fastify";
import { Differences } from "../../../rehearsal/differences.ts";

test("a difference is the configuration of its route", async () => {
  const app = fastify();
  const differences = new Differences(app);
  differences.declare(["GET /one"], "shorter");
  expect(differences.of("GET", "/one")).toEqual({ differs: "shorter" });
  expect(differences.of("POST", "/one")).toEqual({});
  await expect(app.ready()).resolves.toBeDefined();
});

test("one for a route that is never registered ends the start", async () => {
  const app = fastify();
  new Differences(app).declare(["GET /gone"], "shorter");
  await expect(app.ready()).rejects.toThrow("no route is registered for the difference of GET /gone");
});
