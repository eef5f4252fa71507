/** Writes to several Redis servers at once, all the time, and records which of them accept it: at most one may, at any time. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";

export interface CheckedServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Whether it is reached without TLS, as a gateway is. @default false */
  readonly plain?: boolean;
}

/** A write that a server has accepted. */
export interface Accepted {
  readonly server: string;
  /** When the write was sent and when it was accepted, in milliseconds since 1970. */
  readonly sent: number;
  readonly at: number;
}

export interface CheckerArgs {
  readonly servers: readonly CheckedServer[];
  readonly user: string;
  readonly password: string;
  /** File of the authority that has signed the servers' certificates. */
  readonly authorityFile: string;
}

const betweenWritesMs = 20;
/** A client that hears nothing for so long gives up, as the app does. */
const answerMs = 2000;
const retryMs = 50;

export class RedisChecker {
  /** The accepted writes, in the order in which their answers came. */
  readonly accepted: Accepted[] = [];
  readonly #args: CheckerArgs;
  readonly #running: Promise<void>[];
  #stopped = false;

  constructor(args: CheckerArgs) {
    this.#args = args;
    this.#running = args.servers.map((server) => this.#writeTo(server));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  /** The first write accepted by a server other than this one after a moment; undefined when there is none yet. */
  takenOver(from: string, after: number): Accepted | undefined {
    return this.accepted.find(({ server, at }) => server !== from && at > after);
  }

  /** How often the server that accepts writes has changed. With one failover this is 1; more mean that two accepted them at a time. */
  get changes(): number {
    return this.accepted.filter(({ server }, at) => at > 0 && this.accepted[at - 1]?.server !== server).length;
  }

  async #writeTo(server: CheckedServer): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#session(server);
      } catch {
        await sleep(retryMs);
      }
    }
  }

  /** Writes over one connection until it fails. */
  async #session({ name, host, port, plain = false }: CheckedServer): Promise<void> {
    const { user, password, authorityFile } = this.#args;
    const ca = readFileSync(authorityFile, "utf8");
    const socket = plain ? connect(port, host) : connectTls({ host, port, ca, checkServerIdentity: () => undefined });
    const ended = endOf(socket);
    const ask = async (command: string): Promise<string> => {
      socket.write(`${command}\r\n`);
      const [data] = (await Promise.race([once(socket, "data"), ended])) as [Buffer];
      return data.toString();
    };
    try {
      await Promise.race([once(socket, plain ? "connect" : "secureConnect"), ended]);
      await ask(`AUTH ${user} ${password}`);
      while (!this.#stopped) {
        const sent = Date.now();
        const answer = await ask(`SET celery-task-meta-checker ${sent} EX 60`);
        if (answer.startsWith("+OK")) this.accepted.push({ server: name, sent, at: Date.now() });
        await Promise.race([sleep(betweenWritesMs), ended]);
      }
    } finally {
      socket.destroy();
    }
  }
}

/** Rejects when the connection fails, is closed, or is silent for too long. */
function endOf(socket: Socket): Promise<never> {
  const ended = new Promise<never>((_, reject) => {
    socket.setTimeout(answerMs, () => socket.destroy(new Error("no answer")));
    socket.on("error", reject);
    socket.on("close", () => {
      reject(new Error("the connection was closed"));
    });
  });
  // A rejection between two waits must not end the process; the next wait gets it.
  ended.catch(() => undefined);
  return ended;
}
