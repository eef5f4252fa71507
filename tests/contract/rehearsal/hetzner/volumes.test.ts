import { HetznerApi } from "../support/hetzner.ts";

const asked = { name: "data", size: 10, location: "fsn1" };
const command = (api: HetznerApi, name: string, body?: unknown, id = 1) =>
  api.do("POST", `/volumes/${id}/actions/${name}`, body);
const refusal = (api: HetznerApi, name: string, body?: unknown, id = 1) =>
  api.refusal("POST", `/volumes/${id}/actions/${name}`, body);

test("a Volume comes back as it was made", async () => {
  const api = new HetznerApi();
  const made = await api.do("POST", "/volumes", { ...asked, format: "ext4", labels: { a: "b" } });
  expect(made).toMatchObject({ action: { command: "create_volume" }, next_actions: [] });
  expect(await api.show("volume", 1)).toEqual({
    id: 1,
    name: "data",
    created: "2026-01-01T00:00:00+00:00",
    server: null,
    location: expect.objectContaining({ name: "fsn1" }) as object,
    size: 10,
    linux_device: "/dev/disk/by-id/scsi-0HC_Volume_1",
    protection: { delete: false },
    labels: { a: "b" },
    status: "available",
    format: "ext4",
  });
  expect((await api.do("GET", "/volumes?status=creating"))["volumes"]).toEqual([]);
});

test("one that is made for a server is attached to it, where the server is", async () => {
  const api = new HetznerApi();
  await api.server({ location: "nbg1" });
  const made = await api.do("POST", "/volumes", { name: "data", size: 10, server: 1, automount: true });
  expect(made).toMatchObject({ action: { command: "create_volume" }, next_actions: [{ command: "attach_volume" }] });
  expect(await api.show("volume", 1)).toMatchObject({ server: 1, location: { name: "nbg1" } });
});

test.each([
  [{ size: 9 }, 422, "invalid_input"],
  [{ size: 10_241 }, 422, "invalid_input"],
  [{ size: 10.5 }, 422, "invalid_input"],
  [{ location: "mars1" }, 422, "invalid_input"],
  [{ location: undefined }, 422, "invalid_input"],
  [{ format: "ntfs" }, 422, "invalid_input"],
  [{ automount: true }, 422, "invalid_input"],
  [{ server: 7 }, 404, "not_found"],
  [{ name: "" }, 422, "invalid_input"],
])("%j is refused", async (rest, status, code) => {
  expect(await new HetznerApi().refusal("POST", "/volumes", { ...asked, ...rest })).toEqual([status, code]);
});

test("it has its name alone, and there is a limit", async () => {
  const api = new HetznerApi({ limits: { "hetzner.volume": 1 } });
  await api.make("volume", asked);
  expect(await api.refusal("POST", "/volumes", asked)).toEqual([409, "uniqueness_error"]);
  expect(await api.refusal("POST", "/volumes", { ...asked, name: "b" })).toEqual([403, "resource_limit_exceeded"]);
});

test("it is attached to one server in its location, and goes to the next after it was detached", async () => {
  const api = new HetznerApi();
  await api.server();
  await api.server({ name: "b" });
  await api.server({ name: "far", location: "hel1" });
  await api.make("volume", asked);
  expect(await refusal(api, "attach", { server: 3 })).toEqual([422, "invalid_input"]);
  expect(await refusal(api, "attach", { server: 7 })).toEqual([404, "not_found"]);
  expect(await refusal(api, "detach")).toEqual([422, "service_error"]);
  await command(api, "attach", { server: 1 });
  expect(await api.show("server", 1)).toMatchObject({ volumes: [1] });
  expect(await refusal(api, "attach", { server: 2 })).toEqual([422, "volume_already_attached"]);
  await command(api, "detach");
  await command(api, "attach", { server: 2, automount: true });
  expect(await api.show("volume", 1)).toMatchObject({ server: 2 });
  expect(await api.show("server", 1)).toMatchObject({ volumes: [] });
});

test("a server has at most 16", async () => {
  const api = new HetznerApi();
  await api.server();
  for (let n = 1; n <= 16; n++) await api.make("volume", { name: `v${n}`, size: 10, server: 1 });
  await api.make("volume", asked);
  expect(await refusal(api, "attach", { server: 1 }, 17)).toEqual([403, "resource_limit_exceeded"]);
  expect(await api.refusal("POST", "/volumes", { name: "w", size: 10, server: 1 })).toEqual([
    403,
    "resource_limit_exceeded",
  ]);
});

test("it is made larger, never smaller", async () => {
  const api = new HetznerApi();
  await api.make("volume", asked);
  await command(api, "resize", { size: 20 });
  expect(await api.show("volume", 1)).toMatchObject({ size: 20 });
  for (const size of [20, 10, 10_241]) expect(await refusal(api, "resize", { size })).toEqual([422, "invalid_input"]);
});

test("attached, or protected, it is not deleted", async () => {
  const api = new HetznerApi();
  await api.server();
  await api.make("volume", { name: "data", size: 10, server: 1 });
  expect(await api.refusal("DELETE", "/volumes/1")).toEqual([422, "resource_in_use"]);
  await command(api, "detach");
  await command(api, "change_protection", { delete: true });
  expect(await api.refusal("DELETE", "/volumes/1")).toEqual([423, "protected"]);
  await command(api, "change_protection", { delete: false });
  expect((await api.call("DELETE", "/volumes/1")).status).toBe(204);
  expect(await api.refusal("GET", "/volumes/1")).toEqual([404, "not_found"]);
});
