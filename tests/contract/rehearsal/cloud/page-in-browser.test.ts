/** The status page in a browser: what a reader sees of it, and what becomes of it while the cloud changes. */
import { Browser, chromium, type View } from "../../../../testing/browser.ts";
import {
  callAs,
  type CloudAccess,
  disturb,
  fillHostile,
  fillMany,
  fillPlatform,
} from "../../../../testing/sample-cloud.ts";
import { EmulatorProcess } from "../support/emulator.ts";

jest.setTimeout(120_000);

const isHere = chromium() !== undefined;
const inBrowser = isHere ? describe : describe.skip;
if (!isHere)
  process.stderr.write("No Chromium is on the PATH: the tests of the status page in a browser are skipped.\n");

const views: readonly (readonly [string, View])[] = [
  ["wide", { width: 1280, height: 900, theme: "light" }],
  ["on a tablet", { width: 820, height: 1000, theme: "light" }],
  ["on a phone, dark", { width: 375, height: 812, theme: "dark" }],
];

/**
 * Texts that a reader cannot read whole: outside of the window, cut by their own element, over another text, or outside of
 * the card of the picture that they belong to.
 */
const unreadable = `(() => {
  const found = [];
  const shown = [...document.querySelectorAll("main *")].filter((one) => one.checkVisibility() && !one.closest("dialog"));
  if (document.documentElement.scrollWidth > window.innerWidth) found.push("wider than the window");
  for (const one of shown) {
    if (one.closest("svg") || getComputedStyle(one).display === "inline") continue;
    if (one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0) found.push("cut: " + one.textContent.trim().slice(0, 60));
  }
  const texts = shown.flatMap((one) => [...one.childNodes].filter((node) => node.nodeType === 3 && node.nodeValue.trim() !== "").flatMap((node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return [...range.getClientRects()].map((box) => ({ text: node.nodeValue.trim(), box, one }));
  })).filter(({ box }) => box.width > 0);
  for (const { text, box } of texts) if (box.left < -1 || box.right > window.innerWidth + 1) found.push("outside: " + text);
  const rows = new Map();
  for (const each of texts) {
    for (let y = Math.floor(each.box.top / 40); y <= Math.floor(each.box.bottom / 40); y++) {
      for (const other of rows.get(y) ?? []) {
        const wide = Math.min(each.box.right, other.box.right) - Math.max(each.box.left, other.box.left);
        const high = Math.min(each.box.bottom, other.box.bottom) - Math.max(each.box.top, other.box.top);
        if (wide > 2 && high > 5) found.push("over each other: " + each.text + " | " + other.text);
      }
      rows.set(y, [...(rows.get(y) ?? []), each]);
    }
  }
  for (const card of document.querySelectorAll("svg .card")) {
    if (!card.checkVisibility()) continue;
    const box = card.querySelector("rect").getBoundingClientRect();
    for (const text of card.querySelectorAll("text")) {
      const own = text.getBoundingClientRect();
      if (own.right > box.right + 1 || own.bottom > box.bottom + 1) found.push("out of its card: " + text.textContent);
    }
  }
  return found;
})()`;

inBrowser("the status page", () => {
  let browser: Browser;
  let cloud: EmulatorProcess;
  let access: CloudAccess;
  beforeAll(async () => {
    browser = await Browser.start();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    cloud = await EmulatorProcess.start();
    access = { base: `http://127.0.0.1:${cloud.settings.port}`, token: cloud.settings.token };
  });
  afterEach(async () => {
    await browser.open("about:blank");
    browser.complaints.length = 0;
    await cloud.dispose();
  });

  const open = async (view: View = { width: 1280, height: 900, theme: "light" }): Promise<void> => {
    await browser.show(view);
    await browser.open(`${access.base}/?token=${access.token}`);
    await browser.wait("document.getElementById('live').textContent === 'live'");
  };
  const text = (selector: string) =>
    browser.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ""`);
  const click = (selector: string) => browser.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);

  test("no text is cut or over another one, in any window, empty, of a platform and with many servers", async () => {
    const check = async (): Promise<void> => {
      for (const [what, view] of views) {
        await open(view);
        expect([what, await browser.evaluate(unreadable)]).toEqual([what, []]);
      }
    };
    await check();
    await fillPlatform(access);
    await disturb(access);
    await check();
    await cloud.call("DELETE", "/rehearsal/faults");
    await fillMany(access, 90);
    await check();
    expect(browser.complaints).toEqual([]);
    // What it looks for it finds.
    for (const [hurt, found] of [
      ["document.querySelector('#verdict').style.width = '3000px'", "wider than the window"],
      ["Object.assign(document.querySelector('h2').style, { width: '20px', overflow: 'hidden' })", "cut: What is up"],
      ["document.querySelector('#up h3').style.marginTop = '-34px'", "over each other: 97 servers | What is up"],
      ["document.querySelector('.picture.narrow .card text').textContent = 'x'.repeat(90)", "out of its card: xxx"],
    ] as const) {
      await open({ width: 375, height: 812, theme: "light" });
      await browser.evaluate(hurt);
      const seen = await browser.evaluate(unreadable);
      expect([hurt, seen]).toEqual([hurt, expect.arrayContaining([expect.stringContaining(found)])]);
    }
  });

  test("a fault is injected with a confirmation, and removed, and parts that were opened stay open", async () => {
    await callAs(access, "curl/8", "POST", "/hetzner/v1/servers", {
      name: "web",
      server_type: "cx23",
      image: "debian-12",
    });
    await open();
    await click("#calls-curl > summary");
    await browser.evaluate("window.scrollTo(0, 40)");

    await click("#open-killed");
    expect(await text("#dialog-killed")).toContain("The server loses its power at once");
    await click("#dialog-killed [value=cancel]");
    await click("#open-sold_out");
    await browser.evaluate("document.querySelector('#dialog-sold_out select').value = 'nbg1'");
    // What the reader has chosen outlasts an update.
    await callAs(access, "hcloud-go/2", "GET", "/hetzner/v1/servers/77");
    await browser.wait("document.querySelector('#client-hcloud-go') !== null");
    expect(await browser.evaluate("document.querySelector('#dialog-sold_out').open")).toBe(true);
    await click("#dialog-sold_out [value=confirm]");
    await browser.wait("document.querySelector('#faults ul')?.innerText.includes('locations=nbg1')");
    expect(await browser.evaluate("document.querySelector('#dialog-sold_out').open")).toBe(false);
    const { faults } = (await cloud.call("GET", "/rehearsal/faults")).body;
    expect(faults).toMatchObject([{ kind: "sold_out", locations: ["nbg1"] }]);

    await click("[data-remove]");
    await browser.wait("document.querySelector('#faults').innerText.includes('No fault is on.')");
    expect((await cloud.call("GET", "/rehearsal/faults")).body).toEqual({ faults: [] });

    await click("#open-killed");
    await click("#dialog-killed [value=confirm]");
    await browser.wait("document.querySelector('#verdict').innerText.includes('server web')");
    expect(await browser.evaluate("document.title")).toMatch(/^\(1\) /);
    expect(await browser.evaluate("document.querySelector('#calls-curl').open")).toBe(true);
    expect(await browser.evaluate("window.scrollY")).toBe(40);
    expect(browser.complaints).toEqual([]);
  });

  test("names are text, whatever is in them", async () => {
    await open();
    await fillHostile(access);
    await browser.wait("document.querySelector('#changes').innerText.includes('onerror')");
    await open();
    expect(await browser.evaluate("document.title")).toBe(`${cloud.settings.instance} – rehearsal cloud`);
    expect(await browser.evaluate("document.querySelectorAll('main img, main script').length")).toBe(0);
    expect(browser.complaints).toEqual([]);
  });

  test("it says when the cloud has stopped answering, and goes on when it is back", async () => {
    await open();
    await cloud.kill();
    await browser.wait("!document.getElementById('silence').hidden");
    const { instance } = cloud.settings;
    expect(await text("#silence")).toContain(`The cloud does not answer. Start it: make cloud-up CLOUD=${instance}.`);
    await cloud.up();
    await browser.wait("document.getElementById('silence').hidden");
    expect(await text("#live")).toBe("live");
  });
});
