/** Alerts: what the component installs, and the program itself against a real HTTP server and a real SMTP server. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import {
  alertScript,
  alertService,
  type AlertSettings,
  alertsText,
} from "../../../../components/alerts/alert-script.ts";
import { Alerts } from "../../../../components/alerts/alerts.ts";
import { temporaryFolder } from "../../../../testing/folder.ts";
import { compose } from "../../support/compose.ts";
import { pythonPath } from "../../support/python.ts";
import { named, runtimeOf } from "../../support/runtime.ts";

test("a server gets the program, its recipients as a secret, and a unit for OnFailure=", async () => {
  const { resources } = await compose(
    "up",
    () =>
      new Alerts("alerts-core-1", {
        ...{ runtime: runtimeOf(), stack: "prod", server: "core-1" },
        email: { to: "ops@example.com", from: "orion@example.com", host: "smtp.example.com", port: 587, user: "orion" },
        smtpPassword: pulumi.secret("smtp-password"),
        webhook: pulumi.secret("https://hooks.example.com/1"),
        heartbeats: { backup: pulumi.secret("https://beats.example.com/2"), drill: undefined },
      }),
  );
  expect(named(resources, "alerts-core-1-files").inputs).toMatchObject({
    files: {
      "/usr/local/sbin/orion-alert": { text: alertScript, mode: "0755" },
      "/etc/orion/alerts.json": {
        mode: "0600",
        text: {
          "[secret]": alertsText({
            ...{ stack: "prod", server: "core-1", webhook: "https://hooks.example.com/1" },
            email: {
              ...{ to: "ops@example.com", from: "orion@example.com", host: "smtp.example.com", port: 587 },
              ...{ user: "orion", password: "smtp-password" },
            },
            heartbeats: { backup: "https://beats.example.com/2" },
          }),
        },
      },
      "/etc/systemd/system/orion-alert@.service": { text: alertService, mode: "0644" },
    },
  });
});

interface Call {
  readonly path: string;
  readonly body: string;
}

describe("the program", () => {
  const python = pythonPath();
  const calls: Call[] = [];
  const mails: string[] = [];
  let answer = 200;
  let web: HttpServer;
  let smtp: Server;
  const portOf = (server: Server): number => (server.address() as AddressInfo).port;

  beforeAll(async () => {
    web = createHttpServer((request, response) => {
      let body = "";
      request.on("data", (chunk: Buffer) => (body += chunk.toString()));
      request.on("end", () => {
        calls.push({ path: request.url ?? "", body });
        response.writeHead(answer).end();
      });
    });
    smtp = createServer((socket) => {
      let mail = "";
      let isData = false;
      socket.write("220 sink\r\n");
      socket.on("data", (chunk) => {
        const text = chunk.toString();
        mail += text;
        if (isData) {
          if (!mail.endsWith("\r\n.\r\n")) return;
          isData = false;
          mails.push(mail);
          socket.write("250 taken\r\n");
        } else if (/^DATA/im.test(text)) {
          isData = true;
          socket.write("354 go on\r\n");
        } else if (/^QUIT/im.test(text)) socket.end("221 bye\r\n");
        else socket.write("250 fine\r\n");
      });
    });
    await Promise.all(
      [web, smtp].map(
        (each) =>
          new Promise<void>((resolve) => {
            each.listen(0, "127.0.0.1", resolve);
          }),
      ),
    );
  });
  beforeEach(() => {
    calls.length = 0;
    mails.length = 0;
    answer = 200;
  });
  afterAll(() => {
    web.close();
    smtp.close();
  });

  const url = (path: string): string => `http://127.0.0.1:${portOf(web)}${path}`;
  const recipients = (): AlertSettings => ({
    ...{ stack: "prod", server: "core-1", webhook: url("/hook/secret-part") },
    email: { to: "ops@example.com", from: "orion@example.com", host: "127.0.0.1", port: portOf(smtp) },
    heartbeats: { backup: url("/beat/secret-part") },
  });

  /** Asynchronously, because the servers are in this process. */
  function run(
    settings: AlertSettings,
    words: readonly string[],
    input = "",
    environment: Readonly<Record<string, string>> = {},
  ): Promise<{ code: number | null; output: string }> {
    const file = join(temporaryFolder("alerts"), "alerts.json");
    writeFileSync(file, alertsText(settings));
    const child = spawn(python, ["-c", alertScript, ...words], {
      env: { ...process.env, ORION_ALERTS: file, ORION_ALERT_PAUSE: "0", SERVICE_RESULT: "", ...environment },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += String(chunk)));
    child.stdin.end(input);
    return new Promise((resolve) => {
      child.once("close", (code) => {
        resolve({ code, output });
      });
    });
  }

  test("an alert goes to the webhook and by e-mail, with its details", async () => {
    const { code } = await run(recipients(), ["the backup is suspect"], 'table "orders": 0 rows\nwas 900');
    expect(code).toBe(0);
    expect(calls.map(({ path }) => path)).toEqual(["/hook/secret-part"]);
    expect(JSON.parse(calls[0]?.body ?? "")).toEqual({
      text: '[orion prod] core-1: the backup is suspect\ntable "orders": 0 rows\nwas 900',
      content: '[orion prod] core-1: the backup is suspect\ntable "orders": 0 rows\nwas 900',
      subject: "[orion prod] core-1: the backup is suspect",
      details: 'table "orders": 0 rows\nwas 900',
      ...{ stack: "prod", server: "core-1" },
    });
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatch(/^RCPT TO:<ops@example.com>/im);
    expect(mails[0]).toContain("Subject: [orion prod] core-1: the backup is suspect\r\n");
    expect(mails[0]).toContain('table "orders": 0 rows\r\nwas 900');
  });

  test("one recipient that cannot be reached does not keep the alert from the other; its URL is not shown", async () => {
    answer = 500;
    const { code, output } = await run(recipients(), ["something"]);
    expect({ code, tries: calls.length, mails: mails.length }).toEqual({ code: 0, tries: 3, mails: 1 });
    expect(output).toContain("orion-alert: the webhook: HTTPError: HTTP Error 500");
    expect(output).not.toContain("secret-part");
  });

  test("it fails when nobody can be reached", async () => {
    answer = 500;
    const { code } = await run({ ...recipients(), email: undefined }, ["something"]);
    expect({ code, tries: calls.length }).toEqual({ code: 1, tries: 3 });
  });

  test("without a recipient it says so, and is no failure", async () => {
    const { code, output } = await run({ stack: "prod", server: "core-1", heartbeats: {} }, ["something"]);
    expect({ code, calls: calls.length }).toEqual({ code: 0, calls: 0 });
    expect(output).toContain("no alert is sent");
  });

  test("a password is never sent without TLS", async () => {
    const { email } = recipients();
    const login = email && { ...email, user: "orion", password: "smtp-password" };
    const { code } = await run({ ...recipients(), webhook: undefined, email: login }, ["something"]);
    expect({ code, mails: mails.length }).toEqual({ code: 1, mails: 0 });
  });

  test("a heartbeat calls its URL; one that is not set is no failure", async () => {
    expect((await run(recipients(), ["--heartbeat", "backup"])).code).toBe(0);
    expect((await run(recipients(), ["--heartbeat", "drill"])).code).toBe(0);
    expect(calls).toEqual([{ path: "/beat/secret-part", body: "" }]);
  });

  test("a service that stopped alerts when it failed, and only then", async () => {
    await run(recipients(), ["--stopped", "orion-backup.service"], "", { SERVICE_RESULT: "success" });
    expect(calls).toEqual([]);
    const { code } = await run(recipients(), ["--stopped", "orion-backup.service"], "", { SERVICE_RESULT: "timeout" });
    expect(code).toBe(0);
    expect(calls[0]?.body).toContain("core-1: orion-backup.service failed (timeout)");
  });

  test("other words are refused", async () => {
    expect(await run(recipients(), ["--unit"])).toEqual({
      code: 2,
      output: expect.stringMatching(/^usage:/) as unknown,
    });
  });
});
