/** What a failed update says of containers that are not healthy, with what an engine has answered. */
import { stripVTControlCharacters } from "node:util";
import type { Outcome } from "../../../common/process.ts";
import { unhealthyOn } from "../../../tools/unhealthy.ts";

const printed = (stdout: string): Outcome => ({ code: 0, stdout, stderr: "", output: stdout });

/** An engine with these containers, whose health checks have got these answers. */
const engine = (containers: string, ...answers: string[]) => ({
  serviceContainers: () => printed(containers),
  capture: (...[, command]: readonly string[]) =>
    printed(
      command === "logs" ? "Started server\nGET /health\n" : answers.map((one) => JSON.stringify(one)).join("\n"),
    ),
});
const said = (...args: Parameters<typeof engine>) => unhealthyOn(engine(...args), "prod").map(stripVTControlCharacters);

const newer = "cache-core-1-b2f\tUp 3 minutes (unhealthy)\tcache-core-1\n";
const other = "edge-core-1-77a\tUp 3 days (healthy)\tedge-core-1\n";

test("a new container that does not start: what its health check got, its log, and what runs", () => {
  const older = "cache-core-1-a1c\tUp 3 days (healthy)\tcache-core-1\n";
  const refused = "GET http://127.0.0.1:8000/health: no answer with status 2xx within 10 s\n";
  expect(said(newer + older + other, "starting\n", `HTTP 404 Not Found\n${refused}`)).toEqual([
    "\ncache-core-1-b2f is not healthy (Up 3 minutes (unhealthy)). " +
      "The version before keeps running: cache-core-1-a1c, Up 3 days (healthy).",
    ...["Its health check says:", "    HTTP 404 Not Found", `    ${refused.trim()}`],
    ...["The end of its log:", "    Started server", "    GET /health"],
  ]);
});

test("where the old container was deleted first, as in development, nothing else of the service runs", () => {
  const [first, ...more] = said(newer + other);
  expect(first).toContain("No other container of this service runs.");
  // A container that was never checked has no answer.
  expect(more[0]).toBe("The end of its log:");
});

test("of the platform's image the update has said it itself", () => {
  expect(said(newer.replace("\n", "\tapp\n"))).toEqual([]);
});

test("of healthy containers nothing is said", () => {
  expect(said(other)).toEqual([]);
});
