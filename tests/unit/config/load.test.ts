import * as pulumi from "@pulumi/pulumi";
import { loadConfig } from "../../../config/load.ts";

/** Sets the configuration as the engine hands it over: all values as text, the names of the secrets in the environment. */
function engineConfig(values: Readonly<Record<string, string>>, secrets: readonly string[] = []): void {
  pulumi.runtime.setAllConfig(values, [...secrets]);
  process.env["PULUMI_CONFIG_SECRET_KEYS"] = JSON.stringify(secrets);
}

beforeAll(async () => {
  await pulumi.runtime.setMocks({ newResource: () => ({ id: "1", state: {} }), call: () => ({}) }, "orion", "test");
});
afterEach(() => {
  delete process.env["PULUMI_CONFIG_SECRET_KEYS"];
});

test("texts, numbers and objects come as they were written", () => {
  engineConfig({
    "orion:phase": "development",
    "orion:ports": '{"edge":18080}',
    "orion:cloudflare": '{"accountId":"01234567890123456789012345678901"}',
    "aws:region": "elsewhere",
  });
  const { settings, stack } = loadConfig();
  expect(stack).toBe("test");
  expect(settings.ports.edge).toBe(18080);
  expect(settings.cloudflare.accountId).toBe("01234567890123456789012345678901");
});

test("a secret is given out as an output that stays secret", async () => {
  engineConfig({ "orion:phase": "development", "orion:sentryDsn": "https://hidden", "hcloud:token": "not ours" }, [
    "orion:sentryDsn",
    "hcloud:token",
  ]);
  const { secret, secrets } = loadConfig();
  expect(secrets).toEqual(["sentryDsn"]);
  const dsn = secret("sentryDsn");
  expect(dsn && (await pulumi.isSecret(dsn))).toBe(true);
  expect(secret("smtpPassword")).toBeUndefined();
});

test("a bad configuration is a RunError: shown without a stack trace", () => {
  engineConfig({ "orion:phase": "nonsense" });
  expect(loadConfig).toThrow(pulumi.RunError);
  expect(loadConfig).toThrow('orion:phase: got "nonsense"');
});

test("access to Cloudflare's API is what its provider uses: the stack's configuration, else the environment", () => {
  engineConfig(
    { "orion:phase": "development", "cloudflare:apiToken": "ours", "cloudflare:baseUrl": "https://example.com/v4/" },
    ["cloudflare:apiToken"],
  );
  expect(loadConfig().cloudflareAccess?.endpoint).toBe("https://example.com/v4");
  engineConfig({ "orion:phase": "development" });
  const { CLOUDFLARE_API_TOKEN: before } = process.env;
  delete process.env["CLOUDFLARE_API_TOKEN"];
  expect(loadConfig().cloudflareAccess).toBeUndefined();
  process.env["CLOUDFLARE_API_TOKEN"] = "theirs";
  expect(loadConfig().cloudflareAccess?.endpoint).toBe("https://api.cloudflare.com/client/v4");
  delete process.env["CLOUDFLARE_API_TOKEN"];
  if (before !== undefined) process.env["CLOUDFLARE_API_TOKEN"] = before;
});
