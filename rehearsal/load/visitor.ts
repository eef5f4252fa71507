/** What visitors of the platform do, each thing once: an order, a page, an upload, a conversation over a WebSocket. */
import { randomUUID } from "node:crypto";
import { z } from "zod";

const orderSchema = z.object({ reference: z.string(), confirmation_count: z.number() });
export type Order = z.infer<typeof orderSchema>;

/** Longer than any answer may take; whoever gets none within it has failed. */
const patienceMs = 15_000;

export class Visitor {
  readonly #base: string;

  /** @param base URL of the platform, without a slash at the end */
  constructor(base: string) {
    this.#base = base;
  }

  /** Posts an order. @returns its reference, once it is acknowledged */
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

  async page(): Promise<void> {
    await (await this.#call("/", 200)).text();
  }

  /** Uploads a file and reads it back. */
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
   * Opens a WebSocket, has a text come back once a second, and resolves when the other side ends it or `until` resolves.
   *
   * @throws when it is refused, ends without a close frame, or a text does not come back in time
   */
  async talk(until: Promise<void>): Promise<"ended by the other side" | "done"> {
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
        }, patienceMs);
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
    const response = await fetch(this.#base + path, { ...init, signal: AbortSignal.timeout(patienceMs) });
    if (response.status === expected) return response;
    const text = (await response.text()).slice(0, 200);
    throw new Error(`${init.method ?? "GET"} ${path}: ${response.status} instead of ${expected}: ${text}`);
  }
}
