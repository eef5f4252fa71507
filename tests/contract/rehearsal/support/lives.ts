/** The lives of one emulated Hetzner Cloud: it ends, by a stop or by a crash, and goes on with what it had stored. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as tick } from "node:timers/promises";
import type { Machines } from "../../../../rehearsal/machines/machines.ts";
import { HetznerApi } from "./hetzner.ts";
import { Gate, hooked } from "./machines.ts";

/** These lives end before any disk matters, and one that is memory does not make them wait. */
const memory = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

export class Lives {
  /** While it is closed, nothing happens on the host. */
  readonly gate = new Gate();
  readonly #folder = mkdtempSync(join(memory, "orion-lives-"));
  readonly #host: Machines;
  readonly #random: () => number;
  #count = 0;
  #life: { readonly api: HetznerApi; readonly end: () => void };

  /** @param host what outlives the cloud; each call of it takes a while */
  constructor(host: Machines, random: () => number = () => 0.5) {
    this.#host = host;
    this.#random = random;
    this.#life = this.#begin();
  }

  get api(): HetznerApi {
    return this.#life.api;
  }

  /** Ends as a user ends it, and begins anew. */
  async restart(): Promise<void> {
    await this.api.close();
    this.#life = this.#begin();
    await this.#recovered();
  }

  /** Ends at this moment, whatever is under way, and begins anew with what is stored at this moment. */
  async crash(): Promise<void> {
    const { api, end } = this.#life;
    end();
    this.gate.open();
    const before = new DatabaseSync(this.#path);
    this.#count++;
    before.exec(`VACUUM INTO '${this.#path}'`);
    before.close();
    // The old life, which no longer reaches the host, ends on its own file.
    await api.close();
    this.#life = this.#begin();
    await this.#recovered();
  }

  async dispose(): Promise<void> {
    await this.api.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #path(): string {
    return join(this.#folder, `${this.#count}.sqlite`);
  }

  #begin(): { readonly api: HetznerApi; readonly end: () => void } {
    let hasEnded = false;
    const wait = async () => {
      for (let ticks = Math.floor(this.#random() * 3); ticks > 0; ticks--) await tick();
      await this.gate.pass();
      if (hasEnded) throw new Error("the cloud has ended");
    };
    const machines = hooked(this.#host, async (call, _args, proceed) => {
      // What only looks is not held up.
      if (call === "isRunning" || call === "balancerHealth") return proceed();
      await wait();
      const result = await proceed();
      await wait();
      return result;
    });
    const api = new HetznerApi({ path: this.#path, machines, random: this.#random });
    const end = () => {
      hasEnded = true;
    };
    return { api, end };
  }

  async #recovered(): Promise<void> {
    await this.api.resume();
    await this.api.cloud.settled();
  }
}
