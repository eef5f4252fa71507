/** Entry of the rehearsal's Cloudflare plugin, which replaces the official `cloudflare` plugin on the rehearsal cloud. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CloudflareProvider } from "./provider.ts";
import { logToEngine } from "./engine-log.ts";
import { serve } from "./server.ts";
import type { Description } from "./shapes.ts";

const version = "6.22.1";
const descriptions = JSON.parse(readFileSync(join(import.meta.dirname, "properties.json"), "utf8")) as Record<
  string,
  Description
>;
const { CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_BASE_URL: baseUrl } = process.env;

const port = await serve({ provider: new CloudflareProvider(descriptions), version, environment: { token, baseUrl } });
// The engine reads the port from the first line of output.
process.stdout.write(`${port}\n`);

const [engine] = process.argv
  .slice(2)
  .filter((argument) => !argument.startsWith("-"))
  .slice(-1);
if (engine !== undefined) {
  await logToEngine(
    engine,
    "using the rehearsal's cloudflare plugin instead of the official one; it works with the rehearsal cloud only",
  );
}
