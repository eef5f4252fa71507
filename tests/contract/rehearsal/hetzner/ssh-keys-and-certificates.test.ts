import { ownCertificate } from "../support/certificate.ts";
import { HetznerApi } from "../support/hetzner.ts";
import { publicKey } from "./tour.ts";

const invalid = [422, "invalid_input"];
const limited = [403, "resource_limit_exceeded"];
const notUnique = [409, "uniqueness_error"];

describe("an SSH key", () => {
  test("has the fingerprint that ssh-keygen gives it, and is found by it", async () => {
    const api = new HetznerApi();
    await api.make("ssh_key", { name: "key", public_key: publicKey, labels: { a: "b" } });
    const fingerprint = "21:51:3b:fc:1f:c2:2f:24:ef:b7:0b:6a:92:51:05:38";
    expect(await api.show("ssh_key", 1)).toEqual({
      id: 1,
      name: "key",
      fingerprint,
      public_key: publicKey,
      labels: { a: "b" },
      created: "2026-01-01T00:00:00+00:00",
    });
    expect((await api.do("GET", `/ssh_keys?fingerprint=${fingerprint}`))["ssh_keys"]).toHaveLength(1);
    expect((await api.do("GET", "/ssh_keys?fingerprint=00:11"))["ssh_keys"]).toEqual([]);
  });

  test("is a key, and each name and key are there once", async () => {
    const api = new HetznerApi({ limits: { "hetzner.ssh_key": 1 } });
    const post = (name: string, public_key: string) => api.refusal("POST", "/ssh_keys", { name, public_key });
    for (const text of ["", "nonsense", "ssh-ed25519", "ssh-ed25519 not/base64?", "-----BEGIN PRIVATE KEY-----"]) {
      expect(await post("key", text)).toEqual(invalid);
    }
    await api.make("ssh_key", { name: "key", public_key: publicKey });
    expect(await post("key", "ssh-rsa AAAA")).toEqual(notUnique);
    // The comment is no part of the key.
    expect(await post("other", publicKey.replace("probe@", "other@"))).toEqual(notUnique);
    expect(await post("other", "ssh-rsa AAAA")).toEqual(limited);
    await api.do("PUT", "/ssh_keys/1", { name: "renamed" });
    expect((await api.call("DELETE", "/ssh_keys/1")).status).toBe(204);
  });
});

describe("a placement group", () => {
  test("shows its servers, and is not deleted while it has any", async () => {
    const api = new HetznerApi({ limits: { "hetzner.placement_group": 1 } });
    const asked = { name: "group", type: "spread" };
    expect(await api.refusal("POST", "/placement_groups", { ...asked, type: "pack" })).toEqual(invalid);
    expect(await api.do("POST", "/placement_groups", asked)).toMatchObject({ action: null });
    expect(await api.refusal("POST", "/placement_groups", asked)).toEqual(notUnique);
    expect(await api.refusal("POST", "/placement_groups", { ...asked, name: "b" })).toEqual(limited);
    await api.server({ placement_group: 1 });
    expect(await api.show("placement_group", 1)).toMatchObject({ name: "group", type: "spread", servers: [1] });
    expect(await api.refusal("DELETE", "/placement_groups/1")).toEqual([422, "resource_in_use"]);
    await api.do("DELETE", "/servers/1");
    expect((await api.call("DELETE", "/placement_groups/1")).status).toBe(204);
  });
});

describe("a certificate", () => {
  test("says what is in it, and never its key", async () => {
    const api = new HetznerApi({ limits: { "hetzner.certificate": 1 } });
    const { certificate, privateKey } = await ownCertificate("probe.example.com");
    const asked = { name: "own", type: "uploaded", certificate, private_key: privateKey };
    await api.make("certificate", asked);
    const shown = await api.show("certificate", 1);
    expect(shown).toMatchObject({
      name: "own",
      type: "uploaded",
      certificate,
      domain_names: ["probe.example.com"],
      not_valid_before: "2026-01-01T00:00:00+00:00",
      not_valid_after: "2027-01-01T00:00:00+00:00",
      fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/) as string,
      status: null,
      used_by: [],
    });
    expect(JSON.stringify(shown)).not.toContain("PRIVATE KEY");
    expect(await api.refusal("POST", "/certificates", asked)).toEqual(notUnique);
    expect(await api.refusal("POST", "/certificates", { ...asked, name: "b" })).toEqual(limited);
  });

  test("that cannot be read, or is without its key, is refused", async () => {
    const api = new HetznerApi();
    const one = await ownCertificate("probe.example.com");
    const other = await ownCertificate("probe.example.com");
    const post = (certificate?: string, private_key?: string) =>
      api.refusal("POST", "/certificates", { name: "own", certificate, private_key });
    expect(await post("nonsense", one.privateKey)).toEqual(invalid);
    expect(await post(one.certificate)).toEqual(invalid);
    expect(await post(undefined, one.privateKey)).toEqual(invalid);
    expect(await post(one.certificate, "nonsense")).toEqual(invalid);
    expect(await post(one.certificate, other.privateKey)).toEqual(invalid);
  });
});
