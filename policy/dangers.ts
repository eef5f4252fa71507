/** Finds the changes of a move that must be refused, and those that the operator should know about. Pure. */
import { catalogue } from "../topology/catalogue.ts";
import { findingsOfChange, giveUp, withDroppedData } from "./changed-resource.ts";
import { type Change, changesBetween } from "./changes.ts";
import { type Answer, imageChanges, ofAnswer, ofNames } from "./data-images.ts";
import { agreeTo, asAgreed, danger, type Finding, refused, type Severity } from "./findings.ts";
import { type Graph, keyOf, type Recorded } from "./graph.ts";
import { movedWithoutData, movedWithoutTasks } from "./moved-database.ts";
import { movedVisitors } from "./moved-visitors.ts";
import { mutableTags } from "./mutable-tags.ts";
import { lostQueues } from "./queues.ts";
import { withServerTypes } from "./server-types.ts";
import { coreOf, hasServersIn, holdingIn, isGuarded, roleOf, types } from "./stateful.ts";

export interface Move {
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
}

/** What is known beside the two graphs. */
export interface Known {
  /** What the stack's `orion:agreed` lists. @default - nothing */
  readonly agreed?: readonly string[];
  /** What Docker Engines say about other images of containers with data, by the container's name. @default - no engine was asked */
  readonly answers?: ReadonlyMap<string, Answer>;
}

/** The changes of an update from one graph to the other, and the findings about them, the worst first. */
export function moveBetween(was: Graph, is: Graph, { agreed = [], answers }: Known = {}): Move {
  const { before, after } = withServerTypes({ before: was, after: is });
  const holds = holdingIn(before);
  const changes = changesBetween(before, after).map((change) => withDroppedData(change, before, holds));
  const deleted = new Set(changes.flatMap(({ action, resource }) => (action === "delete" ? [keyOf(resource)] : [])));
  const order: readonly Severity[] = ["refused", "loss", "danger"];
  const takenOver = otherCore(before, after);
  const found = changes
    // The finding about the primary covers everything on that server.
    .filter(({ before: was }) => !takenOver || !was || !isPartOf(was, takenOver.name))
    // The finding about the host name covers its record, as long as the platform has another one.
    .filter(({ action, resource }) => action !== "delete" || resource.type !== types.record || !hasRecord(after))
    .flatMap((change) => findingsOfChange(change, holds, { guarded: isGuarded(before), deleted }))
    .concat(movedWithoutData(before, after), movedWithoutTasks(before, after), movedVisitors(before, after))
    .concat(lostKinds(before, after), lostQueues(before, after), lostHostNames(before, after), mutableTags(after))
    .concat(
      imageChanges(before, after).flatMap((change) =>
        answers ? ofAnswer(change, answers.get(change.after.name) ?? {}) : ofNames(change),
      ),
    );
  const findings = asAgreed(found, agreed).sort(
    (one, other) => order.indexOf(one.severity) - order.indexOf(other.severity),
  );
  return { changes, findings: [...(takenOver ? [takenOver] : []), ...findings] };
}

/**
 * Refuses another server as the primary: an update neither promotes a replica nor merges the data of two servers. After `make
 * promote-replica` the state names the new primary already, so that this finding does not occur.
 */
function otherCore(before: Graph, after: Graph): Finding | undefined {
  const [was, is] = [before, after].map(coreOf);
  if (was === undefined || is === undefined || was === is) return undefined;
  return {
    severity: "refused",
    name: was,
    happens: `has the primary; orion:database.primary names ${is}, and an update alone cannot move the primary`,
    instead: `leave orion:database.primary at ${was}; if ${was} is lost, make promote-replica promotes the replica and sets it`,
  };
}

/** Says what it means when all containers of a kind are deleted from servers; changing their number is fine. */
function lostKinds(before: Graph, after: Graph): Finding[] {
  if (!hasServersIn(before)) return [];
  const [had, has] = [before, after].map(({ resources }) =>
    resources.filter(({ type }) => type === types.container).map(roleOf),
  );
  const count = (roles: readonly string[] = [], wanted: string) => roles.filter((role) => role === wanted).length;
  return Object.entries(catalogue).flatMap(([kind, { lossEffect }]): Finding[] => {
    const was = count(had, kind);
    if (lossEffect === undefined || was === 0 || count(has, kind) > 0) return [];
    const { effect } = lossEffect;
    const lost = {
      name: `${kind} containers`,
      happens: `would all be deleted (there ${was === 1 ? "is one" : `are ${was}`}): ${effect}`,
    };
    const severity = isGuarded(before) ? "refused" : "loss";
    switch (lossEffect.weight) {
      case "end":
        return [{ severity, ...lost, ...(severity === "refused" && { instead: giveUp }) }];
      case "choice":
        return [
          {
            severity,
            ...lost,
            instead: `${lossEffect.keep}; to give it up, ${lossEffect.giveUp}, and ${agreeTo(kind)}`,
            agreement: kind,
          },
        ];
      case "notice":
        return [danger(lost.name, lost.happens, lossEffect.keep)];
    }
  });
}

/** Refuses to give up a public host name, unless the stack agrees: links, webhooks and visitors still use it. */
function lostHostNames(before: Graph, after: Graph): Finding[] {
  if (before.hostNames === undefined || after.hostNames === undefined) return [];
  const kept = new Set(after.hostNames);
  return before.hostNames
    .filter((name) => !kept.has(name))
    .map((name): Finding => {
      const happens =
        "would not be answered any more: links in e-mails, webhooks of other services and visitors still use it";
      const instead = `leave the setting with ${name} as it was; to give it up, ${agreeTo(name)}`;
      return refused(name, happens, instead);
    });
}

const isPartOf = ({ name, options }: Recorded, server: string): boolean =>
  options.deletedWith === `${types.server} ${server}-server` || name.startsWith(`${server}-`);

const hasRecord = ({ resources }: Graph): boolean => resources.some(({ type }) => type === types.record);

/** Whether a move loses nothing. */
export const isSafe = ({ findings }: Pick<Move, "findings">): boolean =>
  findings.every(({ severity }) => severity === "danger");
