/** Health monitors: probe the origins of load balancer pools from the edge and keep their health. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { isRecord } from "../../../common/record.ts";
import type { Json } from "../../json.ts";
import { records, texts } from "../body.ts";
import type { World } from "../world.ts";

export interface Health {
  /** An origin that has no monitor or was not probed yet counts as healthy. */
  isHealthy(pool: string, address: string): boolean;
}

interface State {
  healthy: boolean;
  /** Consecutive probes with the opposite result. */
  against: number;
  next: number;
}

export class Monitors implements Health {
  readonly #world: World;
  readonly #localAddress: string;
  readonly #states = new Map<string, State>();
  #timer: NodeJS.Timeout | undefined;

  constructor(world: World, localAddress: string) {
    this.#world = world;
    this.#localAddress = localAddress;
  }

  isHealthy(pool: string, address: string): boolean {
    return this.#states.get(`${pool} ${address}`)?.healthy ?? true;
  }

  /** Every half second, probes the origins whose interval has passed. */
  start(): void {
    this.#timer = setInterval(() => {
      this.#probeDue();
    }, 500);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #probeDue(): void {
    for (const { value: pool } of this.#world.store.list("cloudflare.pool")) {
      const monitor = this.#world.store.get("cloudflare.monitor", String(pool["monitor"]))?.value;
      if (monitor === undefined || pool["enabled"] === false) continue;
      for (const origin of records(pool["origins"])) void this.#check(String(pool["id"]), origin, monitor);
    }
  }

  async #check(pool: string, origin: Json, monitor: Json): Promise<void> {
    const key = `${pool} ${String(origin["address"])}`;
    const state = this.#states.get(key) ?? { healthy: true, against: 0, next: 0 };
    this.#states.set(key, state);
    const now = this.#world.date().getTime();
    if (now < state.next) return;
    state.next = now + number(monitor["interval"], 60) * 1000;
    let passed = false;
    for (let tries = 0; !passed && tries <= number(monitor["retries"], 2); tries += 1) {
      passed = await probe(origin, monitor, this.#localAddress);
    }
    if (passed === state.healthy) {
      state.against = 0;
      return;
    }
    state.against += 1;
    if (state.against < Math.max(1, number(passed ? monitor["consecutive_up"] : monitor["consecutive_down"], 1)))
      return;
    state.healthy = passed;
    state.against = 0;
  }
}

const number = (value: unknown, otherwise: number): number => (typeof value === "number" ? value : otherwise);

/** Matches a status against `200`, `2xx` or a comma-separated list of these. */
const isExpected = (status: number, expected: string): boolean =>
  expected.split(",").some((each) => new RegExp(`^${each.trim().replaceAll("x", "\\d")}$`, "i").test(String(status)));

function probe(origin: Json, monitor: Json, localAddress: string): Promise<boolean> {
  const type = String(monitor["type"]);
  const host = String(origin["address"]);
  const timeout = number(monitor["timeout"], 5) * 1000;
  const port = number(monitor["port"], 0) || number(origin["port"], 0) || (type === "https" ? 443 : 80);
  return new Promise((resolve) => {
    if (type !== "http" && type !== "https") {
      const socket = connect({ host, port, localAddress, timeout });
      const end = (passed: boolean): void => {
        socket.destroy();
        resolve(passed);
      };
      socket
        .once("connect", () => {
          end(true);
        })
        .once("timeout", () => {
          end(false);
        })
        .once("error", () => {
          end(false);
        });
      return;
    }
    const headers = Object.fromEntries(
      Object.entries(isRecord(monitor["header"]) ? monitor["header"] : {}).map(([name, values]) => [
        name,
        texts(values)[0] ?? "",
      ]),
    );
    const servername = headers["Host"] ?? headers["host"];
    const send = type === "https" ? httpsRequest : httpRequest;
    const call = send({
      host,
      port,
      localAddress,
      method: String(monitor["method"]),
      path: String(monitor["path"]),
      headers: { "user-agent": "Mozilla/5.0 (compatible; Cloudflare-Traffic-Manager/1.0)", ...headers },
      rejectUnauthorized: false,
      ...(servername !== undefined && { servername }),
      timeout,
    });
    call.once("timeout", () => call.destroy());
    call.once("error", () => {
      resolve(false);
    });
    call.once("response", (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body = (body + text).slice(0, 102_400)));
      response.once("end", () => {
        const { expected_body: part } = monitor;
        const wanted = typeof part === "string" ? part.toLowerCase() : "";
        resolve(
          isExpected(response.statusCode ?? 0, String(monitor["expected_codes"])) &&
            body.toLowerCase().includes(wanted),
        );
      });
      response.once("error", () => {
        resolve(false);
      });
    });
    call.end();
  });
}
