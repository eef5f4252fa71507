/** A client of the platform for tests, with a ledger of acknowledged orders that must never be lost. */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { eventually } from "./eventually.ts";

const orderSchema = z.object({
  id: z.number(),
  reference: z.string(),
  confirmation_count: z.number(),
});
export type Order = z.infer<typeof orderSchema>;

export class Client {
  /** References of the orders that were acknowledged. */
  readonly ledger: string[] = [];
  readonly #base: string;

  readonly #token: () => string;

  /**
   * @param base URL of the edge or of an app, without a slash at the end
   * @param token looks up the token of the task API; @default none
   */
  constructor(base: string, token: () => string = () => "") {
    this.#base = base;
    this.#token = token;
  }

  get(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.#base + path, { signal: AbortSignal.timeout(15_000), ...init });
  }

  /** Posts an order and notes it when it is acknowledged. */
  async order(): Promise<Order> {
    const reference = randomUUID();
    const response = await this.get("/orders", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ reference, item: "lamp", quantity: 2, email: "someone@example.com" }),
    });
    if (response.status !== 201) throw new Error(`POST /orders answered ${response.status}: ${await response.text()}`);
    this.ledger.push(reference);
    return orderSchema.parse(await response.json());
  }

  async find(reference: string): Promise<Order[]> {
    const response = await this.get(`/orders?reference=${reference}`);
    return z.array(orderSchema).parse(await response.json());
  }

  /** Waits until the worker has confirmed every order of the ledger; fails when one is lost or there twice. */
  async settleLedger(): Promise<void> {
    for (const reference of this.ledger) {
      await eventually(async () => {
        const orders = await this.find(reference);
        expect(orders).toHaveLength(1);
        expect(orders[0]?.confirmation_count).toBeGreaterThanOrEqual(1);
      });
    }
  }

  /** Runs a task on a worker. @returns its result */
  async task(name: string, taskArguments: Readonly<Record<string, unknown>>): Promise<unknown> {
    const authorization = `Bearer ${this.#token()}`;
    const response = await this.get(`/tasks/${name}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization },
      body: JSON.stringify(taskArguments),
    });
    const { id } = z.object({ id: z.string() }).parse(await response.json());
    let result: unknown;
    await eventually(async () => {
      const state: unknown = await (await this.get(`/tasks/${id}`, { headers: { authorization } })).json();
      expect(state).toMatchObject({ state: "SUCCESS" });
      ({ result } = z.object({ result: z.unknown() }).parse(state));
    });
    return result;
  }

  async upload(content: string): Promise<string> {
    const body = new FormData();
    body.append("file", new Blob([content], { type: "text/plain" }), "note.txt");
    const response = await this.get("/uploads", { method: "POST", body });
    expect(response.status).toBe(201);
    return z.object({ key: z.string() }).parse(await response.json()).key;
  }

  /** Sends a text over the WebSocket and resolves with what comes back. */
  echo(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(`${this.#base.replace(/^http/, "ws")}/ws`);
      const timer = setTimeout(() => {
        reject(new Error("the WebSocket did not answer within 10 s"));
        socket.close();
      }, 10_000);
      socket.addEventListener("open", () => {
        socket.send(text);
      });
      socket.addEventListener("message", ({ data }) => {
        clearTimeout(timer);
        socket.close();
        resolve(String(data));
      });
      socket.addEventListener("error", () => {
        clearTimeout(timer);
        reject(new Error("the WebSocket was refused"));
      });
    });
  }
}
