import { NoMachines } from "../../../../rehearsal/machines/none.ts";
import { HetznerApi, hetznerToken } from "../support/hetzner.ts";

const errorOf = async (api: HetznerApi, ...call: Parameters<HetznerApi["call"]>) =>
  (await api.call(...call)).body["error"];

describe("the token", () => {
  test.each([
    ["no token", undefined, "token is required"],
    ["a wrong token", `Bearer ${"f".repeat(64)}`, "the token you have provided is invalid"],
    ["half of the token", `Bearer ${hetznerToken.slice(32)}`, "the token you have provided is invalid"],
    ["another way to log in", `Basic ${hetznerToken}`, "the token you have provided is invalid"],
  ])("%s is refused", async (_what, authorization, message) => {
    const api = new HetznerApi();
    for (const path of ["/servers", "/servers/1", "/nothing"]) {
      const response = await fetch(`${await api.endpoint}${path}`, { headers: authorization ? { authorization } : {} });
      expect(response.status).toBe(401);
      // Clients read an error only in JSON.
      expect(response.headers.get("content-type")).toMatch(/^application\/json/);
      expect(await response.json()).toEqual({ error: { code: "unauthorized", message, details: null } });
    }
  });
});

describe("a call that is not emulated", () => {
  test.each([
    ["POST", "/servers/1/actions/request_console"],
    ["POST", "/servers/1/actions/create_image"],
    ["GET", "/servers/1/metrics"],
    ["GET", "/storage_boxes"],
  ])("%s %s says so", async (method, path) => {
    const api = new HetznerApi();
    await api.server();
    expect(await errorOf(api, method, path)).toEqual({
      code: "not_emulated",
      message: `${method} ${path} is not emulated by the rehearsal cloud`,
      details: null,
    });
    expect(await api.refusal(method, path)).toEqual([501, "not_emulated"]);
  });

  test.each([
    ["/servers/1/actions/enable_rescue", { type: "linux64" }],
    ["/servers/1/actions/attach_iso", { iso: 26631 }],
    ["/floating_ips/1/actions/assign", { server: 1 }],
    ["/floating_ips", { type: "ipv4", server: 1 }],
    ["/certificates", { name: "managed", type: "managed", domain_names: ["example.com"] }],
  ])("POST %s with machines that cannot do it says so, too", async (path, body) => {
    const machines = new NoMachines();
    const api = new HetznerApi({ machines: Object.assign(machines, { kind: "docker" }) });
    await api.server();
    await api.make("floating_ip", { type: "ipv4", home_location: "fsn1" });
    expect(await api.refusal("POST", path, body)).toEqual([501, "not_emulated"]);
  });
});

describe("an error", () => {
  test("names what was not found", async () => {
    const api = new HetznerApi();
    expect(await errorOf(api, "GET", "/servers/7")).toEqual({
      code: "not_found",
      message: "server with ID '7' not found",
      details: null,
    });
    for (const path of ["networks", "load_balancers", "primary_ips", "ssh_keys", "images", "isos", "actions"]) {
      expect(await api.refusal("GET", `/${path}/7`)).toEqual([404, "not_found"]);
    }
    for (const method of ["PUT", "DELETE"]) {
      expect(await api.refusal(method, "/volumes/7")).toEqual([404, "not_found"]);
    }
    expect(await api.refusal("POST", "/servers/7/actions/poweron")).toEqual([404, "not_found"]);
  });

  test("names the field that is wrong", async () => {
    const api = new HetznerApi();
    const smallest = { server_type: "cx23", image: "debian-12" };
    expect(await errorOf(api, "POST", "/servers", { ...smallest, name: "under_score" })).toEqual({
      code: "invalid_input",
      message: "invalid input in field 'name'",
      details: { fields: [{ name: "name", messages: ["must be a valid hostname"] }] },
    });
    expect(await errorOf(api, "POST", "/servers", { ...smallest, name: "a b", labels: { "": "x" } })).toMatchObject({
      message: "invalid input in fields 'name', 'labels.'",
    });
    const { details } = (await errorOf(api, "POST", "/volumes", { name: "v", size: 1, location: "fsn1" })) as never;
    expect(details).toEqual({ fields: [{ name: "size", messages: ["must be 10 or more"] }] });
  });

  test("names the field that has to be unique", async () => {
    const api = new HetznerApi();
    await api.network();
    expect(await errorOf(api, "POST", "/networks", { name: "net", ip_range: "10.0.0.0/16" })).toEqual({
      code: "uniqueness_error",
      message: "name is already used",
      details: { fields: [{ name: "name" }] },
    });
  });

  test("says that a body cannot be read", async () => {
    const api = new HetznerApi();
    const post = async (body: string, type = "application/json") => {
      const headers = { authorization: `Bearer ${hetznerToken}`, "content-type": type };
      const response = await fetch(`${await api.endpoint}/networks`, { method: "POST", headers, body });
      return [response.status, ((await response.json()) as { error: { code: string } }).error.code];
    };
    expect(await post("{")).toEqual([400, "json_error"]);
    expect(await post("[]")).toEqual([422, "invalid_input"]);
    expect(await post("")).toEqual([422, "invalid_input"]);
    expect(await post("a=1", "application/x-www-form-urlencoded")).toEqual([415, "invalid_input"]);
  });
});
