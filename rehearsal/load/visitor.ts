/** A visitor of the platform: places an order, loads a page, uploads a file, talks over a WebSocket. */
import { randomUUID } from "node:crypto";
import { z } from "zod";

const orderSchema = z.object({ reference: z.string(), confirmation_count: z.number() });
export type Order = z.infer<typeof orderSchema>;

/** Timeout of a request in milliseconds; a later response counts as a failure. */
const timeoutMs = 15_000;

export class Visitor {
  readonly #base: string;
  readonly #pages: readonly string[];
  #visited = 0;

  /**
   * @param base URL of the platform, without a slash at the end
   * @param pages paths of its pages
   */
  constructor(base: string, pages: readonly string[] = ["/"]) {
    this.#base = base;
    this.#pages = pages;
  }

  /** Places an order. @returns its reference after the platform acknowledged it */
  async order(): Promise<string> {
    const reference = randomUUID();
    const order = { reference, item: "lamp", quantity: 1, email: "someone@example.com" };
    const response = await this.#call("/orders", 201, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(order),
    });
    await response.text();
    return reference;
  }

  async find(reference: string): Promise<Order[]> {
    const response = await this.#call(`/orders?reference=${reference}`, 200);
    return z.array(orderSchema).parse(await response.json());
  }

  /** Loads the next page. */
  async page(): Promise<void> {
    const path = this.#pages[this.#visited++ % this.#pages.length] ?? "/";
    await (await this.#call(path, 200)).text();
  }

  /** Uploads a file, downloads it and compares. */
  async upload(): Promise<void> {
    const content = randomUUID();
    const body = new FormData();
    body.append("file", new Blob([content], { type: "text/plain" }), "note.txt");
    const answer: unknown = await (await this.#call("/uploads", 201, { method: "POST", body })).json();
    const { url } = z.object({ url: z.string() }).parse(answer);
    const read = await (await this.#call(url, 200)).text();
    if (read !== content) throw new Error(`${url} is not what was uploaded`);
  }

  /**
   * Opens a WebSocket and exchanges a message per second until the server closes it or `until` resolves.
   *
   * @throws when it is refused, ends without a close frame, or an echo does not arrive in time
   */
  async holdWebSocket(until: Promise<void>): Promise<"ended by the other side" | "done"> {
    const socket = new WebSocket(`${this.#base.replace(/^http/, "ws")}/ws`);
    try {
      return await Promise.race([this.#converse(socket), until.then(() => "done" as const)]);
    } finally {
      socket.close();
    }
  }

  #converse(socket: WebSocket): Promise<"ended by the other side"> {
    return new Promise((resolve, reject) => {
      let waiting: NodeJS.Timeout | undefined;
      const say = () => {
        if (socket.readyState !== WebSocket.OPEN) return;
        socket.send("hello");
        waiting = setTimeout(() => {
          reject(new Error("a WebSocket did not answer in time"));
        }, timeoutMs);
      };
      socket.addEventListener("open", say);
      socket.addEventListener("message", () => {
        clearTimeout(waiting);
        setTimeout(say, 1000);
      });
      socket.addEventListener("close", ({ code, wasClean }) => {
        clearTimeout(waiting);
        if (wasClean) resolve("ended by the other side");
        else reject(new Error(`a WebSocket broke off (${code})`));
      });
    });
  }

  async #call(path: string, expected: number, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(this.#base + path, { ...init, signal: AbortSignal.timeout(timeoutMs) });
    if (response.status === expected) return response;
    const text = (await response.text()).slice(0, 200);
    throw new Error(`${init.method ?? "GET"} ${path}: ${response.status} instead of ${expected}: ${text}`);
  }
}
