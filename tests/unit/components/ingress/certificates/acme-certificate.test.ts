/** Certificates from an ACME authority: what the components ask the engine for, and the texts that they bring to the server. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  AcmeCertificate,
  AcmeClient,
  type AcmeArgs,
} from "../../../../../components/ingress/certificates/acme-certificate.ts";
import {
  acmeScript,
  acmeService,
  acmeSettingsFile,
  type AcmeSettings,
  acmeSettingsText,
  acmeTimer,
} from "../../../../../components/ingress/certificates/acme-files.ts";
import { nginxConfig } from "../../../../../components/edge-proxy/nginx-config.ts";
import { plainEdge } from "../../../support/edge.ts";
import { compose } from "../../../support/compose.ts";
import { named, runtimeOf } from "../../../support/runtime.ts";
import { temporaryFolder } from "../../../../../testing/folder.ts";

const server = "https://acme.example.net/directory";
const hostname = "orion.example.com";
const hostnames = [hostname];
const authority = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const settings: AcmeSettings = {
  ...{ hostnames, server, email: "ops@example.com", image: "certbot:test", network: "orion-test-network-edge" },
  ...{ edge: "orion-test-edge-1", config: "/etc/orion/edge/current/nginx.conf", hasAuthority: true },
};
const args = (more: Partial<AcmeArgs> = {}): AcmeArgs => ({
  ...{ runtime: runtimeOf("certbot"), hostnames, server, ...more },
  edge: { container: settings.edge, config: settings.config },
});
const units = ["/etc/systemd/system/orion-certificate.service", "/etc/systemd/system/orion-certificate.timer"];

describe.each(["preview", "up"] as const)("in mode %s", (mode) => {
  test("the client is a script with its settings, and something that the edge can start with", async () => {
    const { resources } = await compose(
      mode,
      () => new AcmeClient("acme", args({ email: "ops@example.com", authority })),
    );
    expect(named(resources, "acme-files").inputs).toMatchObject({
      files: {
        "/usr/local/sbin/orion-certificate": { text: acmeScript, mode: "0755" },
        "/etc/orion/acme/settings": { text: acmeSettingsText(settings), mode: "0644" },
        "/etc/orion/acme/authority.pem": { text: authority, mode: "0644" },
      },
      command: ["/usr/local/sbin/orion-certificate", "prepare"],
    });
  });

  test("public authorities need no file, and an e-mail address is left out", async () => {
    const { resources } = await compose(mode, () => new AcmeClient("acme", args()));
    const { files } = named(resources, "acme-files").inputs as { files: Record<string, { text: string }> };
    expect(Object.keys(files).sort()).toEqual(["/etc/orion/acme/settings", "/usr/local/sbin/orion-certificate"]);
    expect(files["/etc/orion/acme/settings"]?.text).toMatch(/^EMAIL=\n(.*\n)*AUTHORITY=\n$/m);
  });

  test("the certificate is got before the timer looks after it", async () => {
    const { resources } = await compose(mode, () => new AcmeCertificate("certificate", args()));
    expect(named(resources, "certificate-units").inputs).toMatchObject({
      files: {
        [units[0] ?? ""]: { text: acmeService({ hostnames, server }), mode: "0644" },
        [units[1] ?? ""]: { text: acmeTimer, mode: "0644" },
      },
      command: [
        ...["sh", "-c"],
        "systemctl daemon-reload && /usr/local/sbin/orion-certificate obtain && systemctl enable --now --quiet orion-certificate.timer",
      ],
    });
  });
});

test("another host name or authority changes the unit, so that an update obtains a new certificate", () => {
  const own = acmeService({ hostnames, server });
  expect(acmeService({ hostnames: ["www.example.com"], server })).not.toBe(own);
  expect(acmeService({ hostnames: [hostname, "www.example.com"], server })).not.toBe(own);
  expect(acmeService({ hostnames, server: "https://other.example.net/directory" })).not.toBe(own);
});

test("people are told when a certificate cannot be renewed", () => {
  expect(acmeService({ hostnames, server })).toMatch(/^OnFailure=orion-alert@%n\.service$/m);
});

test("the script is one for a shell", () => {
  const { status, stderr } = spawnSync("sh", ["-n"], { input: acmeScript, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

describe("the script on a server", () => {
  let folder: string;
  beforeEach(() => {
    folder = temporaryFolder("acme");
    writeFileSync(join(folder, "settings"), acmeSettingsText(settings));
    const at = acmeScript.replace(acmeSettingsFile, join(folder, "settings"));
    writeFileSync(join(folder, "script"), at.replaceAll("/var/lib/orion/acme", join(folder, "acme")));
    // An edge that takes what it is told to take, and an authority that gives the same certificate as there is, and another byte.
    const docker = `#!/bin/sh
case "$*" in
  inspect*) echo "$EDGE_UP" ;;
  *nginx*) exit "$EDGE_REFUSES" ;;
  run*)
    live=${folder}/acme/letsencrypt/live/edge
    mkdir -p "$live"
    for each in fullchain cert; do (cat ${folder}/acme/edge/current/edge.crt; echo "$ISSUED") >"$live/$each.pem"; done
    cp ${folder}/acme/edge/current/edge.key "$live/privkey.pem" ;;
esac
`;
    mkdirSync(join(folder, "bin"));
    writeFileSync(join(folder, "bin", "docker"), docker, { mode: 0o755 });
  });

  const run = (what: string, environment: Readonly<Record<string, string>>) =>
    spawnSync("sh", [join(folder, "script"), what], {
      encoding: "utf8",
      env: { ...process.env, PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`, ...environment },
    });
  const current = () => readlinkSync(join(folder, "acme", "edge", "current"));

  test("a certificate that the edge refuses is taken back, and the next one is tried", () => {
    expect(run("prepare", { EDGE_UP: "false" }).status).toBe(0);
    const first = current();
    const refused = run("obtain", { EDGE_UP: "true", EDGE_REFUSES: "1", ISSUED: "one" });
    expect(refused.stderr).toContain("the edge did not accept the new certificate; it keeps the old one");
    expect([refused.status, current()]).toEqual([1, first]);
    const taken = run("obtain", { EDGE_UP: "true", EDGE_REFUSES: "0", ISSUED: "two" });
    expect([taken.status, taken.stderr]).toEqual([0, ""]);
    expect(current()).not.toBe(first);
  });
});

test("challenges are answered over plain HTTP, where everything else is sent to TLS", () => {
  const text = (challenges?: string) =>
    nginxConfig({
      ...plainEdge,
      tls: { port: 8443, certificate: "edge.crt", key: "edge.key", ...(challenges !== undefined && { challenges }) },
    });
  expect(text("/etc/orion/acme/challenges")).toContain(
    "location /.well-known/acme-challenge/ {\n      root /etc/orion/acme/challenges;",
  );
  expect(text()).not.toContain("acme-challenge");
});
