/** The `age` key pair that backups are encrypted with. */
import { createPrivateKey, createPublicKey } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { bech32 } from "./bech32.ts";

export interface BackupKeyArgs {
  /** Whether the engine refuses to delete the key. @default true */
  readonly protection?: boolean;
}

/**
 * Servers get the public half only, so that a server cannot read the backups that it took. The private half is in the stack's
 * state.
 */
export class BackupKey extends pulumi.ComponentResource {
  /** The public half. */
  readonly recipient: pulumi.Output<string>;
  /** The private half, one line; a secret. */
  readonly identity: pulumi.Output<string>;

  constructor(name: string, { protection = true }: BackupKeyArgs, opts?: pulumi.ComponentResourceOptions) {
    super("orion:database:BackupKey", name, {}, opts);
    // Without it no backup can be read any more.
    const { hex } = new random.RandomBytes(`${name}-bytes`, { length: 32 }, { parent: this, protect: protection });
    // Undefined when it is not made yet and `pulumi up --target` leaves it out; the engine then creates nothing that uses it.
    const pair = pulumi
      .secret(hex)
      .apply((digits: string | undefined) =>
        digits === undefined ? { recipient: "", identity: "" } : keyPair(Buffer.from(digits, "hex")),
      );
    this.identity = pair.apply(({ identity }) => identity);
    this.recipient = pulumi.unsecret(pair.apply(({ recipient }) => recipient));
    this.registerOutputs({});
  }
}

/** DER of an X25519 private key (RFC 8410) up to the key itself. */
const pkcs8 = Buffer.from("302e020100300506032b656e04220420", "hex");

/** The key pair of `age` for 32 random bytes. */
export function keyPair(secret: Buffer): { readonly recipient: string; readonly identity: string } {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8, secret]), format: "der", type: "pkcs8" });
  const publicDer = createPublicKey(key).export({ format: "der", type: "spki" });
  return {
    recipient: bech32("age", publicDer.subarray(-32)),
    identity: bech32("age-secret-key-", secret).toUpperCase(),
  };
}
