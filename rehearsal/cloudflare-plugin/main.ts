/** Entry of the plugin that stands in for the official `cloudflare` one on the rehearsal cloud. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CloudflareProvider } from "./provider.ts";
import { say } from "./say.ts";
import { serve } from "./server.ts";
import type { Description } from "./shapes.ts";

const version = "6.22.1";
const descriptions = JSON.parse(readFileSync(join(import.meta.dirname, "properties.json"), "utf8")) as Record<
  string,
  Description
>;
const { CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_BASE_URL: baseUrl } = process.env;

const port = await serve({ provider: new CloudflareProvider(descriptions), version, environment: { token, baseUrl } });
// The engine reads the port from the first line.
process.stdout.write(`${port}\n`);

const [engine] = process.argv
  .slice(2)
  .filter((argument) => !argument.startsWith("-"))
  .slice(-1);
if (engine !== undefined) {
  await say(
    engine,
    "a stand-in for the official cloudflare plugin is at work; it serves the rehearsal cloud and nothing else",
  );
}
