/** The load generator notes each request with its time, and what it was told of orders. */
import { LoadGenerator } from "../../../../rehearsal/load/load-generator.ts";
import { Visitor } from "../../../../rehearsal/load/visitor.ts";

/** A platform that acknowledges every order, keeps all but the second, and refuses every page. */
class Forgetful extends Visitor {
  readonly #orders: string[] = [];
  #wanted: { readonly orders: number; readonly enough: () => void } | undefined;

  constructor() {
    super("http://unused.invalid");
  }

  override order(): Promise<string> {
    this.#orders.push(`order-${this.#orders.length}`);
    if (this.#orders.length === this.#wanted?.orders) this.#wanted.enough();
    return Promise.resolve(this.#orders.at(-1) ?? "");
  }

  /** Resolves at so many orders. */
  ordered(orders: number): Promise<void> {
    return new Promise((enough) => {
      this.#wanted = { orders, enough };
    });
  }

  override page(): Promise<void> {
    return Promise.reject(new Error("502"));
  }

  override find(reference: string) {
    return Promise.resolve(reference === "order-1" ? [] : [{ reference, confirmation_count: 1 }]);
  }
}

test("every answered request has its start and its time, a failed one its reason, and a lost order is found", async () => {
  const [from, started] = [Date.now(), performance.now()];
  const visitor = new Forgetful();
  const load = new LoadGenerator({ visitor, orders: 100, pages: 100, uploads: 0, sockets: 0 });
  load.start();
  await visitor.ordered(5);
  await load.stop();
  const { began, answered, requests, failures } = load.tally();
  const orders = requests["order"] ?? [];
  expect(orders.length).toBeGreaterThanOrEqual(5);
  expect(answered).toEqual({ order: orders.length });
  expect(began).toBeGreaterThanOrEqual(from);
  for (const [at, milliseconds] of orders) {
    expect(at).toBeGreaterThanOrEqual(0);
    expect(at).toBeLessThanOrEqual(Date.now() - from);
    // Rounded to a tenth.
    expect(milliseconds).toBeLessThanOrEqual(performance.now() - started + 0.1);
  }
  expect(new Set(failures.map(({ what, why }) => `${what}: ${why}`))).toEqual(new Set(["page: 502"]));
  expect(await load.verifyLedger(1)).toEqual({
    ...{ acknowledged: orders.length, lost: ["order-1"], doubled: [], unconfirmed: [] },
  });
});
