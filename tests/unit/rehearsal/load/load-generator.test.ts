/** The load generator notes each request with its time, and what it was told of orders. */
import { LoadGenerator } from "../../../../rehearsal/load/load-generator.ts";
import { Visitor } from "../../../../rehearsal/load/visitor.ts";

/** A platform that acknowledges every order, keeps all but the second, and refuses every page. */
class Forgetful extends Visitor {
  readonly #orders: string[] = [];

  constructor() {
    super("http://unused.invalid");
  }

  override order(): Promise<string> {
    this.#orders.push(`order-${this.#orders.length}`);
    return Promise.resolve(this.#orders.at(-1) ?? "");
  }

  override page(): Promise<void> {
    return Promise.reject(new Error("502"));
  }

  override find(reference: string) {
    return Promise.resolve(reference === "order-1" ? [] : [{ reference, confirmation_count: 1 }]);
  }
}

test("every answered request has its start and its time, a failed one its reason, and a lost order is found", async () => {
  const from = Date.now();
  const load = new LoadGenerator({ visitor: new Forgetful(), orders: 50, pages: 50, uploads: 0, sockets: 0 });
  load.start();
  await new Promise((resolve) => setTimeout(resolve, 250));
  await load.stop();
  const { began, answered, requests, failures } = load.tally();
  const orders = requests["order"] ?? [];
  expect(orders.length).toBeGreaterThan(2);
  expect(answered).toEqual({ order: orders.length });
  expect(began).toBeGreaterThanOrEqual(from);
  for (const [at, milliseconds] of orders) {
    expect(at).toBeGreaterThanOrEqual(0);
    expect(at + milliseconds).toBeLessThan(Date.now() - from + 50);
  }
  expect(new Set(failures.map(({ what, why }) => `${what}: ${why}`))).toEqual(new Set(["page: 502"]));
  expect(await load.verifyLedger(1)).toEqual({
    ...{ acknowledged: orders.length, lost: ["order-1"], doubled: [], unconfirmed: [] },
  });
});
