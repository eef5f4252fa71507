/** Certificates for tests, made by openssl. */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./folder.ts";

/** A certificate, its key and its authority, PEM. */
export interface SignedCertificate {
  readonly authority: string;
  readonly certificate: string;
  readonly privateKey: string;
}

/**
 * A certificate that an authority signs, which is created the first time: in `<authority>-ca.crt` of the folder.
 *
 * @param names as OpenSSL writes them
 * @param use as OpenSSL names extended key usages
 */
export function signed(
  folder: string,
  name: string,
  names: string,
  authority: string,
  use = "serverAuth",
): SignedCertificate {
  const file = (path: string) => join(folder, path);
  const ca = `${authority}-ca`;
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  if (!existsSync(file(`${ca}.crt`)))
    openssl(folder, `${ca}.crt`, "req", "-x509", ...key, "-days", "1", "-subj", "/CN=orion", "-keyout", `${ca}.key`);
  openssl(folder, `${name}.csr`, "req", ...key, "-subj", `/CN=${name}`, "-keyout", `${name}.key`);
  writeFileSync(file(`${name}.ext`), `subjectAltName=${names}\nextendedKeyUsage=${use}\n`);
  const certificate = openssl(
    ...[folder, `${name}.crt`, "x509", "-req", "-in", `${name}.csr`, "-CA", `${ca}.crt`, "-CAkey", `${ca}.key`],
    ...["-CAcreateserial", "-days", "1", "-extfile", `${name}.ext`],
  );
  const read = (path: string) => readFileSync(file(path), "utf8");
  return { authority: read(`${ca}.crt`), certificate, privateKey: read(`${name}.key`) };
}

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
