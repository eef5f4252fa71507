import { pageHeaders, pageOf, updateOf } from "../../../../../rehearsal/cloud/page/page.ts";
import type { Status } from "../../../../../rehearsal/cloud/status.ts";
import { statusOf } from "./status.ts";

const options = { nonce: "NONCE", token: "TOKEN", locations: ["fsn1", "nbg1"] };
const page = (status: Status): string => pageOf(status, options);

/** What a reader sees of the page, but for pictures. */
const textOf = (html: string): string =>
  html
    .replaceAll(/<(style|script|svg|dialog)\b.*?<\/\1>/gs, " ")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ");

test("it says what is up, the unhealthy first", () => {
  const text = textOf(page(statusOf((what) => what)));
  for (const line of [
    "Hetzner hetzner Cloudflare cloudflare edge edge machines: docker",
    "3 things not well server bare off target core-1 of edge-1 unhealthy Volume data fault volume_full",
    "1 of 2 servers running 0 of 1 targets healthy",
    "2 servers 1 running Server State Type and location Public Private bare off cx33, hel1 none none core-1 running cx23, nbg1 127.77.0.4 10.20.1.10 10.20.1.11",
    "edge-1 0 of 1 targets healthy nbg1 127.77.0.9 core-1 443 unhealthy",
    "data fault volume_full 10 GB nbg1 core-1",
    "net 10.20.0.0/16 1 server, 1 load balancer",
    "www CNAME orion.example.com by Cloudflare's edge",
    "1 bucket files",
  ]) {
    expect(text.replaceAll("&#39;", "'")).toContain(line);
  }
});

test("it says what changed, what each client called and which errors it got, and which faults are on", () => {
  const text = textOf(page(statusOf((what) => what)));
  for (const line of [
    "10:11:12 server core-1 ready after 3 s",
    "curl 2 calls, 1 error 10:11:12 GET hetzner:/servers 503 server_error last 2 calls curl/8",
    "reply message=no-luck Remove volume_full volume=data Remove Remove all 2",
  ]) {
    expect(text).toContain(line);
  }
});

test("no text of the cloud or of a client is taken for HTML", () => {
  const names: string[] = [];
  const written = page(
    statusOf((what) => {
      names.push(what);
      return `<img src="x" title='&${what}'>`;
    }),
  );
  expect(written).not.toContain("<img");
  expect(written.match(/<script/g)).toHaveLength(1);
  // The address of the page and of the registry are not on it.
  for (const what of names.filter((one) => !["page", "registry"].includes(one))) {
    expect(written).toContain(`&lt;img src=&quot;x&quot; title=&#39;&amp;${what}&#39;&gt;`);
  }
});

test("where there is nothing it says so", () => {
  const nothing = { servers: [], balancers: [], records: [], buckets: [], volumes: [], networks: [] };
  const quiet = { faults: [], changes: [], clients: [], calls: [], totalCalls: 0 };
  const text = textOf(page({ ...statusOf((what) => what), ...nothing, ...quiet, edge: null }));
  for (const line of [
    "There are no servers yet.",
    "Nothing has been created yet.",
    "Nothing has changed since",
    "No client has called",
    "No fault is on.",
    "There is no server, load balancer, Volume or network yet.",
  ]) {
    expect(text).toContain(line);
  }
  expect(text).not.toContain("edge");
});

test("everything is up says so, and which faults are on all the same", () => {
  const status = statusOf((what) => what);
  const servers = status.servers.map((one) => ({ ...one, status: "running" }));
  const well = { ...status, servers, balancers: [] };
  expect(textOf(page({ ...well, faults: [] }))).toContain("Everything is up. ");
  const faults = status.faults.slice(0, 1);
  expect(textOf(page({ ...well, faults }))).toContain("Everything is up. 1 fault is on.");
});

test("of hundreds of servers the healthy ones are behind a button, the others are not", () => {
  const status = statusOf((what) => what);
  const [one] = status.servers;
  if (!one) throw new Error("no server");
  const servers = Array.from({ length: 300 }, (_, index) => ({
    ...{ ...one, id: index, name: `app-${index}` },
    status: index === 250 ? "off" : "running",
  }));
  const text = textOf(page({ ...status, servers }));
  expect(text).toMatch(/300 servers 299 running .* app-250 off .* app-10 running .*288 more servers .* app-11 running/);
});

test("buttons for faults that the cloud cannot have are off, and say why", () => {
  const status = { ...statusOf((what) => what), machines: "none", servers: [] };
  const written = page(status);
  expect(written).toMatch(/id="open-partition"[^>]*disabled/);
  expect(written).not.toContain('id="dialog-partition"');
  expect(textOf(written)).toContain("Partition, Full Volume, Hanging boot: only in a cloud with machines.");
  expect(textOf(written)).toContain("Power cut: there is no server.");
  expect(written).not.toMatch(/id="open-sold_out"[^>]*disabled/);
});

test("a browser runs and applies only what has the nonce, and nothing from elsewhere", () => {
  const written = page(statusOf((what) => what));
  expect(written.match(/<script nonce="NONCE">/g)).toHaveLength(1);
  expect(written.match(/<style nonce="NONCE">/g)).toHaveLength(1);
  const markup = written.replaceAll(/<(style|script)\b.*?<\/\1>/gs, "");
  // Handlers and styles in attributes would need a weaker policy; addresses would load something.
  expect(markup).not.toMatch(/ (on\w+|style|src)=/);
  expect(markup.match(/ href="(?!#|data:)/g)).toBeNull();
  const policy = pageHeaders("NONCE")["content-security-policy"] ?? "";
  expect(policy.split("; ")).toEqual(
    expect.arrayContaining(["default-src 'none'", "script-src 'nonce-NONCE'", "frame-ancestors 'none'"]),
  );
  expect(policy).not.toContain("unsafe");
});

test("an update has the parts that change, and neither script nor style nor token", () => {
  const update = updateOf(
    statusOf((what) => what),
    options,
  );
  expect(update).toContain("<title>(3) main – rehearsal cloud</title>");
  expect(textOf(page(statusOf((what) => what)))).toContain(textOf(update).trim());
  expect(update).not.toMatch(/<script|<style|TOKEN/);
});
