/** Installs `orion-alert` and its recipients on servers. */
import * as pulumi from "@pulumi/pulumi";
import { alertCommand, alertsFile } from "../../common/server-contract.ts";
import type { Settings } from "../../config/schema.ts";
import type { Context, Stack } from "../context.ts";
import { HostFiles } from "../runtime/docker/host-files.ts";
import type { DockerRuntime } from "../runtime/docker/runtime.ts";
import { type AlertEmail, alertScript, alertService, alertsText } from "./alert-script.ts";

export interface AlertsArgs {
  /** The Docker Engine of the server. */
  readonly runtime: DockerRuntime;
  readonly stack: string;
  readonly server: string;
  /** @default - no e-mail */
  readonly email?: Omit<AlertEmail, "password"> | undefined;
  /** A secret. @default - no login */
  readonly smtpPassword?: pulumi.Output<string> | undefined;
  /** URL that gets each alert; a secret. @default - none */
  readonly webhook?: pulumi.Output<string> | undefined;
  /** URLs that are called when something ran well, by its name; secrets. */
  readonly heartbeats: Readonly<Record<string, pulumi.Output<string> | undefined>>;
}

/**
 * The command with which the services of one server tell people that they failed. Without a recipient it writes to the log only,
 * so that services may call it in any stack.
 */
export class Alerts extends pulumi.ComponentResource {
  constructor(name: string, args: AlertsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:alerts:Alerts", name, {}, opts);
    new HostFiles(
      `${name}-files`,
      {
        runtime: args.runtime,
        files: {
          [alertCommand]: { text: alertScript, mode: "0755" },
          [alertsFile]: { text: recipientsOf(args), mode: "0600" },
          "/etc/systemd/system/orion-alert@.service": { text: alertService, mode: "0644" },
        },
        command: ["systemctl", "daemon-reload"],
        removal: ["true"],
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}

const recipientsOf = ({ stack, server, email, smtpPassword, webhook, heartbeats }: AlertsArgs): pulumi.Output<string> =>
  pulumi.secret(
    pulumi.all([smtpPassword, webhook, pulumi.all(heartbeats)] as const).apply(([password, url, beats]) =>
      alertsText({
        ...{ stack, server, webhook: url },
        email: email && { ...email, password },
        heartbeats: Object.fromEntries(
          Object.entries(beats).flatMap(([name, beat]) => (beat === undefined ? [] : [[name, beat]])),
        ),
      }),
    ),
  );

/** Installs the command on every server of a stack. */
export function createAlerts({ settings, topology, runtimes, secret, parent }: Context): void {
  for (const [server, { runtime }] of runtimes.members) {
    const args = { runtime, stack: topology.stack, server, email: emailOf(settings), ...secretsOf(secret) };
    // Not before the server has booted, after which its packet filter is set.
    new Alerts(`alerts-${server}`, args, { parent, dependsOn: [...runtimes.peerRules] });
  }
}

/** The port for the submission of messages (RFC 6409), as the platform's image has it. */
const submissionPort = 587;

function emailOf({ alerts, email }: Settings): AlertsArgs["email"] {
  const { smtpHost: host, smtpPort: port = submissionPort, smtpUser: user } = email;
  const { email: to } = alerts;
  return to === undefined || host === undefined ? undefined : { to, from: email.from ?? to, host, port, user };
}

const secretsOf = (secret: Stack["secret"]) => ({
  smtpPassword: secret("smtpPassword"),
  webhook: secret("alertWebhook"),
  heartbeats: { backup: secret("backupHeartbeat"), drill: secret("drillHeartbeat") },
});
