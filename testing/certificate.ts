/** Certificates for tests, made by openssl. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./folder.ts";

/** Runs openssl. @returns the file that it wrote */
export function openssl(folder: string, file: string, ...args: readonly string[]): string {
  const { status, stderr } = spawnSync("openssl", [...args, "-out", file], { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`openssl ${args.join(" ")}: ${stderr}`);
  return readFileSync(join(folder, file), "utf8");
}

/** Options for a new key in `key.pem`, which nothing encrypts. */
export const newKey = ["-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem"];

/** A certificate that is its own authority. */
export function selfSigned(name: string): {
  readonly certificate: string;
  readonly key: string;
  readonly folder: string;
} {
  const folder = temporaryFolder("certificate");
  const certificate = openssl(folder, "ca.pem", "req", "-x509", ...newKey, "-days", "30", "-subj", `/CN=${name}`);
  return { certificate, key: readFileSync(join(folder, "key.pem"), "utf8"), folder };
}
