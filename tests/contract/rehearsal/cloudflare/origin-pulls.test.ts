/** The client certificate that the emulated edge presents to a zone's origins. */
import { X509Certificate } from "node:crypto";
import { CertificateAuthority } from "../../../../rehearsal/cloudflare/authority.ts";
import { clientCertificateOf } from "../../../../rehearsal/cloudflare/origin-pulls.ts";
import { Api } from "../support/api.ts";
import { ownCertificate } from "../support/certificate.ts";

const zones = [
  { name: "example.com", plan: "free" },
  { name: "attacker.org", plan: "free" },
] as const;

function setUp() {
  const api = new Api(zones);
  const pulls = (zone = "example.com") => `/zones/${api.zone(zone)}/origin_tls_client_auth`;
  return {
    api,
    pulls,
    later: () => (api.now = new Date(api.now.getTime() + 60_000)),
    upload: async (zone?: string) => {
      const { certificate, privateKey } = await ownCertificate("pull.example.com");
      const { result, status } = await api.call("POST", pulls(zone), { certificate, private_key: privateKey });
      expect(status).toBe(200);
      return { id: String(result["id"]), certificate };
    },
    presented: async (hostname: string) => {
      const zone = api.world.zoneOf(hostname);
      return zone && (await clientCertificateOf(api.world, zone, hostname))?.cert;
    },
  };
}

test("a zone's certificate is presented once it is deployed and switched on, to origins of this zone alone", async () => {
  const { api, pulls, later, upload, presented } = setUp();
  const { id, certificate } = await upload();
  const status = async () => (await api.call("GET", `${pulls()}/${id}`)).result["status"];
  await api.call("PUT", `${pulls()}/settings`, { enabled: true });
  expect([await status(), await presented("www.example.com")]).toEqual(["pending_deployment", undefined]);
  later();
  expect([await status(), await presented("www.example.com")]).toEqual(["active", certificate]);
  await api.call("PUT", `${pulls("attacker.org")}/settings`, { enabled: true });
  expect(await presented("www.attacker.org")).toBeUndefined();
  await api.call("PUT", `${pulls()}/settings`, { enabled: false });
  expect(await presented("www.example.com")).toBeUndefined();
});

test("a new certificate is presented once it is deployed; until then it is the one before", async () => {
  const { api, pulls, later, upload, presented } = setUp();
  const first = await upload();
  await api.call("PUT", `${pulls()}/settings`, { enabled: true });
  later();
  const second = await upload();
  expect(await presented("www.example.com")).toBe(first.certificate);
  later();
  expect(await presented("www.example.com")).toBe(second.certificate);
  await api.call("DELETE", `${pulls()}/${second.id}`);
  expect(await presented("www.example.com")).toBe(first.certificate);
});

test("with tls_client_auth all zones present certificates of one authority, which is no zone's own", async () => {
  const { api, presented } = setUp();
  const authority = await CertificateAuthority.open(api.store, "origin-pull");
  for (const zone of ["example.com", "attacker.org"]) {
    await api.call("PATCH", `/zones/${api.zone(zone)}/settings/tls_client_auth`, { value: "on" });
    const shared = new X509Certificate((await presented(`www.${zone}`)) ?? "");
    expect(shared.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
  }
});

test("an authority's certificate and a foreign key are refused", async () => {
  const { api, pulls } = setUp();
  const one = await ownCertificate("pull.example.com");
  const other = await ownCertificate("pull.example.com");
  const foreign = await api.call("POST", pulls(), { certificate: one.certificate, private_key: other.privateKey });
  expect([foreign.status, foreign.code]).toEqual([400, 1412]);
  const { certificate } = await CertificateAuthority.open(api.store, "public");
  const authority = await api.call("POST", pulls(), { certificate, private_key: one.privateKey });
  expect([authority.status, authority.code]).toEqual([400, 1412]);
});
