/** Certificate authorities of the emulated Cloudflare: creates their keys in the store, and signs certificates. */
import { webcrypto } from "node:crypto";
import { x509 } from "./x509.ts";
import type { CloudflareStore } from "./state.ts";

export type AuthorityName = "origin-rsa" | "origin-ecc" | "origin-pull" | "public";

const subjects: Readonly<Record<AuthorityName, string>> = {
  "origin-rsa":
    "C=US, O=CloudFlare\\, Inc., OU=CloudFlare Origin SSL Certificate Authority, L=San Francisco, ST=California",
  "origin-ecc":
    "C=US, O=CloudFlare\\, Inc., OU=CloudFlare Origin SSL ECC Certificate Authority, L=San Francisco, ST=California",
  // Signs the client certificate that Cloudflare shares between the zones of all its customers.
  "origin-pull":
    "C=US, O=CloudFlare\\, Inc., OU=Origin Pull, L=San Francisco, ST=California, CN=origin-pull.cloudflare.net",
  public: "C=XX, O=Orion rehearsal cloud, CN=Orion rehearsal public CA",
};

const algorithms = {
  rsa: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
  ecdsa: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
} as const;

const algorithmOf = (name: AuthorityName) => (name === "origin-rsa" ? algorithms.rsa : algorithms.ecdsa);
const dayMs = 86_400_000;

export interface Issued {
  readonly certificate: string;
  readonly serial: string;
  readonly expires: Date;
}

/** A certificate authority with its private key. */
export class CertificateAuthority {
  readonly certificate: string;
  readonly #key: webcrypto.CryptoKey;
  readonly #name: AuthorityName;

  private constructor(name: AuthorityName, certificate: string, key: webcrypto.CryptoKey) {
    this.#name = name;
    this.certificate = certificate;
    this.#key = key;
  }

  /** Opens the authority of that name in the store; creates it when it is missing. */
  static async open(store: CloudflareStore, name: AuthorityName): Promise<CertificateAuthority> {
    const known = store.get("cloudflare.authority", name);
    if (known !== undefined) {
      const [der] = x509.PemConverter.decode(known.key);
      if (der === undefined) throw new Error(`The key of the authority ${name} in the store is not valid PEM`);
      const key = await webcrypto.subtle.importKey("pkcs8", der, algorithmOf(name), false, ["sign"]);
      return new CertificateAuthority(name, known.certificate, key);
    }
    const keys = await webcrypto.subtle.generateKey(algorithmOf(name), true, ["sign", "verify"]);
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      name: subjects[name],
      keys,
      signingAlgorithm: algorithmOf(name),
      // By this machine's clock, which is that of everybody who verifies a certificate.
      notBefore: new Date(Date.now() - dayMs),
      notAfter: new Date(Date.now() + 10 * 365 * dayMs),
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
    const certificate = root.toString("pem");
    store.put("cloudflare.authority", name, { key, certificate });
    return new CertificateAuthority(name, certificate, keys.privateKey);
  }

  /**
   * Signs a certificate for the key of a signing request; names and validity of the request are ignored.
   *
   * @param days validity of the certificate
   * @throws {Error} when the request cannot be parsed or is not signed by its own key
   */
  async sign(csr: string, hostnames: readonly string[], days: number, now: Date): Promise<Issued> {
    const request = new x509.Pkcs10CertificateRequest(csr);
    if (!(await request.verify())) throw new Error("the signing request is not signed by its own key");
    return this.#issue(
      request.publicKey,
      "CN=CloudFlare Origin Certificate, O=CloudFlare\\, Inc.",
      hostnames,
      days,
      now,
    );
  }

  /** Creates a key and a certificate for it. */
  async issue(hostnames: readonly string[], days: number, now: Date): Promise<Issued & { readonly key: string }> {
    const keys = await webcrypto.subtle.generateKey(algorithms.ecdsa, true, ["sign", "verify"]);
    const issued = await this.#issue(keys.publicKey, `CN=${hostnames[0] ?? ""}`, hostnames, days, now);
    const key = x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
    return { ...issued, key };
  }

  async #issue(
    publicKey: x509.PublicKey | webcrypto.CryptoKey,
    subject: string,
    hostnames: readonly string[],
    days: number,
    now: Date,
  ): Promise<Issued> {
    const serial = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16))).toString("hex");
    const expires = new Date(Math.floor((now.getTime() + days * dayMs) / 1000) * 1000);
    const root = new x509.X509Certificate(this.certificate);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: `0${serial.slice(1)}`,
      subject,
      issuer: root.subject,
      // Starts in the past, because the clocks of machines differ; that of servers is this machine's, also when the cloud's is ahead.
      notBefore: new Date(Math.min(now.getTime(), Date.now()) - 5 * 60_000),
      notAfter: expires,
      publicKey,
      signingKey: this.#key,
      signingAlgorithm: algorithmOf(this.#name),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
        new x509.SubjectAlternativeNameExtension(hostnames.map((value) => ({ type: "dns" as const, value }))),
        await x509.AuthorityKeyIdentifierExtension.create(root.publicKey),
      ],
    });
    return { certificate: certificate.toString("pem"), serial, expires };
  }
}
