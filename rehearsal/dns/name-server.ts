/** The cloud's DNS server, over UDP and TCP. */
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { AUTHORITATIVE_ANSWER, decode, encode, type Packet, RECURSION_AVAILABLE, TRUNCATED_RESPONSE } from "dns-packet";
import type { Resolver } from "./resolver.ts";

export interface NameServerOptions {
  readonly resolver: Pick<Resolver, "resolve">;
  readonly host: string;
  /** Port for UDP and TCP. @default 53 */
  readonly port?: number;
}

/** TTL in seconds: changes of records must become visible at once. */
const ttl = 1;
/** Bytes that every client accepts in a datagram; a client retries a truncated answer over TCP. */
const datagramBytes = 512;
const idleMilliseconds = 10_000;

const codes = { NOERROR: 0, FORMERR: 1, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;

export class NameServer {
  readonly #options: NameServerOptions;
  readonly #datagrams: DatagramSocket = createSocket("udp4");
  readonly #streams: Server;
  readonly #connections = new Set<Socket>();

  constructor(options: NameServerOptions) {
    this.#options = options;
    this.#datagrams.on("message", (message, { address, port }) => {
      const answer = this.#answer(message, datagramBytes);
      // Errors are ignored: the client may have gone away.
      if (answer !== undefined) this.#datagrams.send(answer, port, address, () => undefined);
    });
    this.#streams = createServer((socket) => {
      this.#connections.add(socket);
      socket.once("close", () => this.#connections.delete(socket));
      socket.once("error", () => socket.destroy());
      socket.setTimeout(idleMilliseconds, () => socket.destroy());
      this.#serve(socket);
    });
  }

  /** @throws {Error} when the port is in use; `stop` closes what is open by then */
  async start(): Promise<void> {
    const { host, port = 53 } = this.#options;
    this.#datagrams.bind(port, host);
    await once(this.#datagrams, "listening");
    this.#streams.listen(port, host);
    await once(this.#streams, "listening");
    for (const either of [this.#datagrams, this.#streams]) either.on("error", () => undefined);
  }

  async stop(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    if (this.#streams.listening) await new Promise((resolve) => this.#streams.close(resolve));
    await new Promise<void>((resolve) => {
      this.#datagrams.close(resolve);
    });
  }

  /** Serves a TCP connection, on which each message is preceded by its length. */
  #serve(socket: Socket): void {
    let received = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const answer = this.#answer(received.subarray(2, end), 0xffff);
        received = received.subarray(end);
        if (answer === undefined) {
          socket.destroy();
          return;
        }
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        socket.write(Buffer.concat([length, answer]));
      }
    });
  }

  /** @returns undefined when the message is not a query */
  #answer(message: Buffer, most: number): Buffer | undefined {
    try {
      const query = decode(message);
      if (query.type !== "query") return undefined;
      const whole = encode(replyTo(query, this.#options.resolver));
      if (whole.length <= most) return whole;
      return encode(reply(query, codes.NOERROR, [], TRUNCATED_RESPONSE));
    } catch {
      // An invalid message, or a name that cannot be encoded, gets no answer.
      return undefined;
    }
  }
}

/** The answer to a query, with IPv4 addresses only: the cloud does not route IPv6. */
function replyTo(query: Packet, resolver: NameServerOptions["resolver"]): Packet {
  const [question, ...more] = query.questions ?? [];
  if (opcodeOf(query) !== 0) return reply(query, codes.NOTIMP);
  if (question === undefined || more.length > 0) return reply(query, codes.FORMERR);
  const { code, answers } = resolver.resolve(question.name);
  const wanted = answers.filter(({ type }) => type === "CNAME" || question.type === "A");
  return reply(
    query,
    codes[code],
    // The name in the spelling of the query: some clients compare it case-sensitively.
    wanted.map((each, index) => ({ ...each, ttl, ...(index === 0 && { name: question.name }) })),
  );
}

const opcodeOf = ({ flags = 0 }: Packet): number => (flags >> 11) & 0xf;

const reply = (query: Packet, code: number, answers: Packet["answers"] = [], flags = 0): Packet => ({
  type: "response",
  ...(query.id !== undefined && { id: query.id }),
  flags: AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE | ((query.flags ?? 0) & 0x7900) | flags | code,
  ...(query.questions && { questions: query.questions }),
  answers,
});
