/** A headless Chromium, driven by its DevTools protocol: to look at pages that this project writes. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { isRecord } from "../common/record.ts";
import { UserError } from "../common/user-error.ts";

const programs = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/** Path of a Chromium on this machine: `CHROMIUM`, or the first on PATH; undefined when it has none. */
export function chromium(environment = process.env): string | undefined {
  const folders = (environment["PATH"] ?? "").split(delimiter);
  const candidates = programs.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [environment["CHROMIUM"] ?? "", ...candidates].find((path) => path !== "" && isProgram(path));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** How a page is shown. */
export interface View {
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  readonly theme: "light" | "dark";
}

type Answer = Readonly<Record<string, unknown>>;
interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

export class Browser {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  /** What pages have written to the console, and what they were refused. */
  readonly complaints: string[] = [];
  #calls = 0;
  #session = "";

  private constructor(process: ChildProcess, folder: string, socket: WebSocket) {
    this.#process = process;
    this.#folder = folder;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      this.#hear(JSON.parse(String(data)) as Answer);
    });
  }

  /** @throws {UserError} when this machine has no Chromium, or it does not start */
  static async start(): Promise<Browser> {
    const path = chromium();
    if (path === undefined) {
      throw new UserError(
        `This machine has none of ${programs.join(", ")} on PATH. Install one, or name it: CHROMIUM=`,
      );
    }
    const folder = mkdtempSync(join(tmpdir(), "orion-browser-"));
    const options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"];
    const child = spawn(path, [...options, "--remote-debugging-port=0", `--user-data-dir=${folder}`, "about:blank"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const socket = new WebSocket(await addressOf(child));
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("error", reject, { once: true });
    });
    const browser = new Browser(child, folder, socket);
    const { targetId } = await browser.#call("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await browser.#call("Target.attachToTarget", { targetId, flatten: true });
    browser.#session = String(sessionId);
    for (const domain of ["Page", "Runtime", "Log"]) await browser.#call(`${domain}.enable`);
    return browser;
  }

  async show({ width, height, theme }: View): Promise<void> {
    const mobile = width < 500;
    await this.#call("Emulation.setDeviceMetricsOverride", { width, height, mobile, deviceScaleFactor: 1 });
    await this.#call("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: theme }] });
  }

  /** Opens a page; resolves when it has loaded. */
  async open(url: string): Promise<void> {
    const { errorText } = await this.#call("Page.navigate", { url });
    if (typeof errorText === "string") throw new Error(`${url}: ${errorText}`);
    await this.wait("document.readyState === 'complete'");
  }

  /** The value of an expression in the page; promises are awaited. */
  async evaluate(expression: string): Promise<unknown> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.#call("Runtime.evaluate", options);
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return isRecord(result) ? result["value"] : undefined;
  }

  /** Waits until an expression is true in the page. @throws when it is not within ten seconds */
  async wait(expression: string): Promise<void> {
    const until = Date.now() + 10_000;
    while ((await this.evaluate(expression)) !== true) {
      if (Date.now() > until) throw new Error(`not within ten seconds: ${expression}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /**
   * A picture of the page as PNG.
   *
   * @param whole with what is below the window
   * @param scale pixels of the picture for one of the page
   */
  async picture(whole: boolean, scale = 1): Promise<Buffer> {
    const clip = whole ? { clip: await this.#extent(scale) } : {};
    const options = { format: "png", captureBeyondViewport: whole, ...clip };
    const { data } = await this.#call("Page.captureScreenshot", options);
    return Buffer.from(String(data), "base64");
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once("exit", resolve));
    // It may be gone before it has answered.
    void this.#call("Browser.close");
    await gone;
    this.#socket.close();
    // A helper process of Chromium may outlive it by a moment, and would keep this one from ending.
    this.#process.stderr?.destroy();
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  async #extent(scale: number): Promise<Answer> {
    const { cssContentSize: size } = await this.#call("Page.getLayoutMetrics");
    return { x: 0, y: 0, scale, ...(isRecord(size) && { width: size["width"], height: size["height"] }) };
  }

  #call(method: string, params: Answer = {}): Promise<Answer> {
    const id = ++this.#calls;
    const session = this.#session === "" || method.startsWith("Browser.") ? {} : { sessionId: this.#session };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    });
  }

  #hear({ id, result, error, method, params }: Answer): void {
    if (["Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"].includes(String(method))) {
      this.complaints.push(JSON.stringify(params));
    }
    const waiting = this.#waiting.get(Number(id));
    if (!waiting) return;
    this.#waiting.delete(Number(id));
    if (error === undefined) waiting.resolve(isRecord(result) ? result : {});
    else waiting.reject(new Error(JSON.stringify(error)));
  }
}

/** The address of its DevTools, which it writes when it has started. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    const lines = createInterface({ input: child.stderr ?? process.stdin });
    lines.on("line", (line) => {
      said.push(line);
      const [, address] = /^DevTools listening on (ws:.*)$/.exec(line) ?? [];
      if (address !== undefined) resolve(address);
    });
    child.once("exit", () => {
      reject(new UserError(`${child.spawnfile} did not start:\n${said.slice(-5).join("\n")}`));
    });
  });
}
