/** The containers of a server as facts: users and privileges of their processes, mounts, names of variables, open ports. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Line } from "../golden.ts";
import { type OnServer, pythonOn } from "./on-server.ts";

const containerSchema = z.object({
  service: z.string(),
  /** The kind of the service, as its label says. */
  kind: z.string(),
  id: z.string(),
  pid: z.number(),
  networks: z.array(z.string()),
  addresses: z.array(z.string()),
  variables: z.array(z.string()),
  runs: z.array(z.string()),
  root: z.enum(["ro", "rw"]),
  writes: z.array(z.string()),
  reads: z.array(z.string()),
  files: z.array(z.string()),
  /** TCP. */
  listens: z.array(z.number()),
  listensUdp: z.array(z.number()),
});
const schema = z.object({
  containers: z.array(containerSchema),
  /** TCP ports on which the server itself accepts connections, and UDP ports on which it takes packets. */
  listens: z.array(z.number()),
  listensUdp: z.array(z.number()),
});

export type SurveyedContainer = z.infer<typeof containerSchema>;
export type Survey = z.infer<typeof schema> & { readonly server: string };

const program = readFileSync(join(import.meta.dirname, "survey.py"), "utf8");

/** The containers of a server, by the names of their services. */
export async function surveyOf(on: OnServer, server: string): Promise<Survey> {
  const { containers, ...own } = schema.parse(await pythonOn(on, server, program, null));
  return { server, ...own, containers: containers.sort((a, b) => (a.service < b.service ? -1 : 1)) };
}

/** Instances of one kind on one server: `app@core-1`. */
export const groupOf = ({ server }: Survey, { kind }: SurveyedContainer): string => `${kind}@${server}`;

/**
 * The lines of each container: those that all instances of its kind on a server have, once, under the name of kind and server;
 * others under the name of the instance, which is not in the table.
 */
export function grouped(
  survey: Survey,
  linesOf: ReadonlyMap<SurveyedContainer, (place: string) => readonly Line[]>,
): readonly Line[] {
  const groups = new Set([...linesOf.keys()].map((one) => groupOf(survey, one)));
  return [...groups].flatMap((group) => {
    const instances = [...linesOf].filter(([one]) => groupOf(survey, one) === group);
    const texts = instances.map(([, lines]) => new Set(lines(group).map((line) => JSON.stringify(line))));
    const isCommon = (line: Line) => texts.every((own) => own.has(JSON.stringify(line)));
    return instances.flatMap(([{ service }, lines], instance) => {
      const named = lines(service);
      return lines(group).flatMap((line, index) => {
        if (!isCommon(line)) return named[index] ?? [];
        return instance === 0 ? [line] : [];
      });
    });
  });
}

/** What the images themselves set; versions and paths change with each release of them. */
const ofImages =
  /^(PATH|HOME|HOSTNAME|LANG|GPG_KEY|APP_VERSION|PYTHON\w+|UVICORN_WS|NGINX_VERSION|NJS_\w+|PKG_RELEASE|DYNPKG_RELEASE|ACME_VERSION|GOSU_VERSION|PG_(MAJOR|VERSION)|REDIS_(VERSION|DOWNLOAD_\w+))$/;

/** What Docker gives every container. */
const ofDocker = /^\/etc\/(hosts|hostname|resolv\.conf)$|^(\/usr)?\/sbin\/docker-init$/;
/** The authorities of a rehearsal cloud, which are public ones in production. */
const ofRehearsal = /^(\/\.rehearsal-authorities|\/etc\/ssl\/certs\/ca-certificates)\.crt$/;
const others = (targets: readonly string[]) =>
  targets.filter((target) => !ofDocker.test(target) && !ofRehearsal.test(target));

const udpOf = ({ listensUdp }: { readonly listensUdp: readonly number[] }) => listensUdp.length > 0 && { listensUdp };

/** A line for the UDP ports of a server itself, if it has any. */
export const udpLines = (survey: Survey): readonly Line[] =>
  survey.listensUdp.length === 0 ? [] : [{ kind: "server", name: survey.server, values: [{ ...udpOf(survey) }] }];

/** A line for what each container's processes may do, and one for what it knows. */
export const containerLines = (survey: Survey): readonly Line[] =>
  grouped(
    survey,
    new Map(
      survey.containers.map((one) => {
        const rights = {
          ...{ runs: one.runs, networks: one.networks, rootIsWritable: one.root === "rw", listens: one.listens },
          ...{ writes: others(one.writes), reads: others(one.reads), ...udpOf(one) },
        };
        const knows = { variables: one.variables.filter((name) => !ofImages.test(name)), files: one.files };
        return [
          one,
          (name) => [
            { kind: "container", name, values: [rights] },
            { kind: "knows", name, values: [knows] },
          ],
        ];
      }),
    ),
  );
