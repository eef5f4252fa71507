/** Measures how long services are away while their containers are replaced, from the events of their Docker Engines. */
import { type ChildProcess, spawn } from "node:child_process";
import { z } from "zod";
import { type Engine, labelFilters } from "../engines.ts";

const eventSchema = z.object({
  Action: z.string(),
  timeNano: z.number(),
  Actor: z.object({ Attributes: z.object({ service: z.string().default("") }) }),
});

export interface ServiceEvent {
  readonly service: string;
  readonly what: "ended" | "healthy";
  readonly milliseconds: number;
}

/** The events that matter of what `docker events --format '{{json .}}'` prints. Pure. */
export const eventsOf = (text: string): ServiceEvent[] =>
  text.split("\n").flatMap((line) => {
    const { data } = eventSchema.safeParse(readJson(line));
    if (!data) return [];
    const what = data.Action === "die" ? "ended" : data.Action === "health_status: healthy" ? "healthy" : undefined;
    return what === undefined
      ? []
      : [{ service: data.Actor.Attributes.service, what, milliseconds: data.timeNano / 1e6 }];
  });

/** Milliseconds between the end of a service's container and the moment at which the next one was healthy. Pure. */
export function pauseOf(service: string, events: readonly ServiceEvent[]): number | undefined {
  const own = events.filter((event) => event.service === service);
  const ended = own.find(({ what }) => what === "ended");
  const back = ended && own.find(({ what, milliseconds }) => what === "healthy" && milliseconds >= ended.milliseconds);
  return ended && back && back.milliseconds - ended.milliseconds;
}

export class PauseWatch {
  readonly #children: ChildProcess[];
  #text = "";

  /** Follows the events of the engines from now on. */
  constructor(stack: string, engines: readonly Engine[]) {
    const filters = [...labelFilters(stack), "--filter", "event=die", "--filter", "event=health_status"];
    this.#children = engines.map((engine) => {
      const [program, args] = engine.command("events", ...filters, "--format", "{{json .}}");
      const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
      child.once("error", () => undefined);
      child.stdout.setEncoding("utf8").on("data", (text: string) => (this.#text += text));
      return child;
    });
  }

  /** Ends it. @returns a line for each of the services that was away */
  end(services: readonly string[]): string[] {
    for (const child of this.#children) child.kill();
    const events = eventsOf(this.#text);
    return services.flatMap((service) => {
      const pause = pauseOf(service, events);
      return pause === undefined ? [] : [`${service} was away for ${(pause / 1000).toFixed(1)} s`];
    });
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
