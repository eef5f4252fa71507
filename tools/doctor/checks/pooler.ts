/** Checks whether clients of a PgBouncer wait for a connection, and how many connections it has in use. */
import { poolerConsole } from "../../../topology/services/pgbouncer.ts";
import type { Checked } from "../advice.ts";
import type { Question } from "../question.ts";

/** A wait of so many seconds is a problem; shorter ones are normal with a pooler. */
const longWait = 2;

export async function checkPooler({ service, exec }: Question): Promise<Checked> {
  const { ok, output } = await exec(service, ...poolerConsole.split(" "), "-A", "-F", " ", "-c", "SHOW POOLS");
  return ok ? poolsOf(output) : { problem: "pooler-silent", detail: output.slice(0, 200) };
}

/** What PgBouncer's table of its pools says. Pure. @param text with the columns' names in its first line */
export function poolsOf(text: string): Checked {
  const [header = "", ...lines] = text.split("\n");
  const names = header.split(" ");
  const rows = lines.map((line) => line.split(" ")).filter((cells) => cells.length === names.length);
  const pools = rows.filter(([database]) => database !== "pgbouncer");
  const numbers = (name: string) => pools.map((cells) => Number(cells[names.indexOf(name)] ?? 0));
  if (!names.includes("cl_waiting")) return { problem: "pooler-silent", detail: text.slice(0, 200) };
  const sum = (name: string) => numbers(name).reduce((total, number) => total + number, 0);
  const [clients, waiting, longest] = [sum("cl_active"), sum("cl_waiting"), Math.max(0, ...numbers("maxwait"))];
  const idle = sum("sv_idle") + sum("sv_used");
  const detail = `${clients + waiting} clients, ${waiting} of them wait, the longest for ${longest} s; ${sum("sv_active")} connections are in use, ${idle} idle`;
  return longest >= longWait ? { problem: "pool-full", detail } : { detail };
}
