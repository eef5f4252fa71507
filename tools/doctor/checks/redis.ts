/** Checks that a Redis server answers and uses at most 90 % of its maxmemory. */
import type { Checked } from "../advice.ts";
import type { Question } from "../question.ts";

export function checkRedis({ service, exec }: Question): Checked {
  const { ok, output } = exec(service, "redis-cli", "info");
  if (!ok || !output.includes("used_memory_human")) return { problem: "cache-refuses", detail: output.slice(0, 200) };
  const value = (key: string) => new RegExp(`^${key}:(.*?)\\r?$`, "m").exec(output)?.[1] ?? "?";
  const detail = `${value("used_memory_human")} of ${value("maxmemory_human")}, ${value("connected_clients")} clients`;
  return Number(value("used_memory")) > Number(value("maxmemory")) * 0.9
    ? { problem: "cache-full", detail }
    : { detail };
}
