/** Follows `docker events` to know which machines run, and to restart those that reboot themselves. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";
import { dockerLines } from "./docker.ts";
import type { Naming } from "./naming.ts";

const eventSchema = z.object({
  status: z.enum(["start", "die"]),
  Actor: z.object({ Attributes: z.object({ name: z.string(), exitCode: z.string().optional() }) }),
});

/** Exit code of a container whose system requested a reboot: its init process is ended by SIGHUP. */
const rebooted = "129";

export class ContainerWatch {
  readonly #names: Naming;
  readonly #onReboot: (container: string) => void;
  readonly #running = new Set<string>();
  #child: ChildProcess | undefined;
  #closed = false;

  constructor(names: Naming, onReboot: (container: string) => void) {
    this.#names = names;
    this.#onReboot = onReboot;
  }

  /** Starts to follow events; resolves when the running machines are known. */
  async start(): Promise<void> {
    const filters = ["--filter", `label=${this.#names.label}`];
    const events = ["--filter", "type=container", "--filter", "event=start", "--filter", "event=die"];
    const child = spawn("docker", ["events", ...filters, ...events, "--format", "{{json .}}"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    this.#child = child;
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.#take(line);
    });
    child.once("error", () => undefined);
    child.once("close", () => {
      // The Docker Engine may have restarted: reconnect when it is back.
      if (!this.#closed) setTimeout(() => void this.start().catch(() => undefined), 1000).unref();
    });
    const listed = await dockerLines("ps", ...filters, "--format", "{{.Names}}");
    this.#running.clear();
    for (const name of listed) this.#running.add(name);
  }

  isRunning(container: string): boolean {
    return this.#running.has(container);
  }

  /** Updates the state before Docker's event arrives. */
  set(container: string, running: boolean): void {
    if (running) this.#running.add(container);
    else this.#running.delete(container);
  }

  close(): void {
    this.#closed = true;
    this.#child?.kill();
  }

  #take(line: string): void {
    const { data } = eventSchema.safeParse(JSON.parse(line));
    if (!data) return;
    const { name, exitCode } = data.Actor.Attributes;
    this.set(name, data.status === "start");
    if (data.status === "die" && exitCode === rebooted) this.#onReboot(name);
  }
}
