/** Load generator: sends steady traffic to the platform and keeps a ledger of acknowledged orders to verify afterwards. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Visitor } from "./visitor.ts";

export interface LoadOptions {
  readonly visitor: Visitor;
  /** Orders per second. */
  readonly orders: number;
  /** Page requests per second. */
  readonly pages: number;
  /** Uploads per second; each is downloaded again and compared. */
  readonly uploads: number;
  /** Number of WebSockets open at the same time. */
  readonly sockets: number;
}

export interface Failure {
  /** Start of the request, RFC 3339. */
  readonly began: string;
  /** Time of the failure, RFC 3339. */
  readonly time: string;
  readonly what: string;
  readonly why: string;
}

export interface Tally {
  /** When it was started, in milliseconds since 1970. */
  readonly began: number;
  /** Number of successful requests by kind. */
  readonly answered: Readonly<Record<string, number>>;
  /** Each successful request by kind: its start in milliseconds after `began`, and its milliseconds. */
  readonly requests: Readonly<Record<string, readonly (readonly [at: number, milliseconds: number])[]>>;
  /** Requests that failed. */
  readonly failures: readonly Failure[];
  /** WebSockets that the platform closed with a close frame, as a deploy does, and that were opened again. */
  readonly reconnected: number;
  /** Response times in milliseconds. */
  readonly latency: { readonly median: number; readonly p99: number; readonly slowest: number };
}

export interface LedgerTally {
  readonly acknowledged: number;
  /** References of acknowledged orders that do not exist. */
  readonly lost: readonly string[];
  /** References of orders that exist more than once. */
  readonly doubled: readonly string[];
  /** References of orders whose confirmation task has not run. */
  readonly unconfirmed: readonly string[];
}

export class LoadGenerator {
  readonly #options: LoadOptions;
  readonly #ledger: string[] = [];
  readonly #failures: Failure[] = [];
  readonly #requests: Record<string, [at: number, milliseconds: number][]> = {};
  readonly #running = new Set<Promise<void>>();
  readonly #ended: Promise<void>;
  #end: () => void = () => undefined;
  #began = Date.now();
  #reconnected = 0;
  #isEnded = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  start(): void {
    const { visitor, orders, pages, uploads, sockets } = this.#options;
    this.#began = Date.now();
    this.#repeat("order", orders, async () => {
      this.#ledger.push(await visitor.order());
    });
    this.#repeat("page", pages, () => visitor.page());
    this.#repeat("upload", uploads, () => visitor.upload());
    for (let n = 0; n < sockets; n++) this.#track(this.#keepWebSocketOpen());
  }

  /** Stops the load; resolves when all running requests have ended. */
  async stop(): Promise<void> {
    this.#isEnded = true;
    this.#end();
    await Promise.all(this.#running);
  }

  tally(): Tally {
    const requests = Object.entries(this.#requests);
    const sorted = requests.flatMap(([, each]) => each.map(([, milliseconds]) => milliseconds)).sort((a, b) => a - b);
    const at = (share: number) =>
      Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
    return {
      began: this.#began,
      answered: Object.fromEntries(requests.map(([what, each]) => [what, each.length])),
      requests: Object.fromEntries(requests.map(([what, each]) => [what, [...each]])),
      failures: [...this.#failures],
      reconnected: this.#reconnected,
      latency: { median: at(0.5), p99: at(0.99), slowest: at(1) },
    };
  }

  /** Looks up every acknowledged order and waits for its task. @param seconds time limit for all tasks, from now on */
  async verifyLedger(seconds: number): Promise<LedgerTally> {
    const end = Date.now() + seconds * 1000;
    const tally = { lost: [] as string[], doubled: [] as string[], unconfirmed: [] as string[] };
    for (const reference of this.#ledger) {
      let found = await this.#find(reference, end);
      while (found.length === 1 && found[0]?.confirmation_count === 0 && Date.now() < end) {
        await sleep(500);
        found = await this.#find(reference, end);
      }
      if (found.length === 0) tally.lost.push(reference);
      else if (found.length > 1) tally.doubled.push(reference);
      else if (found[0]?.confirmation_count === 0) tally.unconfirmed.push(reference);
    }
    return { acknowledged: this.#ledger.length, ...tally };
  }

  /** Looks up an order. A failed look-up says nothing about the order, so it is retried until the time limit. */
  async #find(reference: string, end: number) {
    for (;;) {
      try {
        return await this.#options.visitor.find(reference);
      } catch (error) {
        if (Date.now() > end) throw error;
        await sleep(500);
      }
    }
  }

  /** Starts requests at a steady rate, however long each takes: visitors do not wait for each other. */
  #repeat(what: string, perSecond: number, visit: () => Promise<void>): void {
    if (perSecond <= 0) return;
    const again = setInterval(() => {
      if (this.#isEnded) clearInterval(again);
      else this.#track(this.#measure(what, visit));
    }, 1000 / perSecond);
  }

  #track(work: Promise<void>): void {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  async #measure(what: string, visit: () => Promise<void>): Promise<void> {
    const [began, started] = [new Date(), performance.now()];
    try {
      await visit();
      const milliseconds = Math.round((performance.now() - started) * 10) / 10;
      (this.#requests[what] ??= []).push([began.getTime() - this.#began, milliseconds]);
    } catch (error) {
      this.#fail(what, began, error);
    }
  }

  async #keepWebSocketOpen(): Promise<void> {
    while (!this.#isEnded) {
      const began = new Date();
      try {
        const how = await this.#options.visitor.holdWebSocket(this.#ended);
        if (how === "done") return;
        this.#reconnected++;
      } catch (error) {
        this.#fail("WebSocket", began, error);
        await sleep(1000);
      }
    }
  }

  #fail(what: string, began: Date, error: unknown): void {
    const time = new Date().toISOString();
    this.#failures.push({ began: began.toISOString(), time, what, why: reasonOf(error) });
  }
}

/** The message of an error, with the cause that fetch hides behind "fetch failed". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
