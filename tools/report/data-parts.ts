/** What a rehearsal on real data says: what was restored, and how long the same takes in production. Pure. */
import { escaped } from "./charts.ts";
import { estimateOf, type Estimate, type MeasuredWork } from "./estimate.ts";
import { number, table } from "./html.ts";
import type { RehearsalRecord } from "./record.ts";

/** The work of a move that takes longer with more data: the copy of the database to each new replica. */
export function copiesIn({ update, data }: Pick<RehearsalRecord, "update" | "data">): MeasuredWork[] {
  return update.steps.flatMap(({ action, resource, from, to }) => {
    const replica = /^Container (replica-\d+)-server$/.exec(resource)?.[1];
    if (replica === undefined || action !== "create" || data === undefined) return [];
    return [{ what: `copy to ${replica}, and its start`, bytes: data.databaseBytes, seconds: (to - from) / 1000 }];
  });
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
const seconds = (value: number): string => `${value.toFixed(1)} s`;

/**
 * Bytes in production for each byte here. What was just restored is compared: a scrub that writes every row makes the database
 * larger than it is in production.
 */
function shareOf({ data }: Pick<RehearsalRecord, "data">): number {
  if (data === undefined) return 1;
  return data.productionBytes / Math.max(1, data.work[0]?.bytes ?? data.databaseBytes);
}

/** Seconds that the update takes in production: as here, and longer by what more data takes. */
export function productionUpdate(record: RehearsalRecord): number {
  const { update } = record;
  const longer = copiesIn(record).map((work) => estimateOf(work, shareOf(record)).productionSeconds - work.seconds);
  return (update.to - update.from) / 1000 + longer.reduce((sum, each) => sum + each, 0);
}

export function dataParts(record: RehearsalRecord): string[] {
  const { data } = record;
  if (data === undefined) return [];
  const share = shareOf(record);
  const row = ({ what, bytes, seconds: here, rate, productionBytes, productionSeconds }: Estimate) => [
    what,
    ...[
      megabytes(bytes),
      seconds(here),
      `${megabytes(rate)}/s`,
      megabytes(productionBytes),
      seconds(productionSeconds),
    ].map(number),
  ];
  const rows = [...data.work, ...copiesIn(record)].map((work) => row(estimateOf(work, share)));
  const heads = ["bytes", "here", "rate", "in production", "takes there"].map(number);
  const scrubbed =
    data.scrub === null
      ? "No SQL removed personal data (orion:rehearsal.scrub)."
      : `${data.scrub} ran first, before any app started.`;
  return [
    `<p>${escaped(`${data.name} was restored before the move: ${data.tables} tables, ${megabytes(data.databaseBytes)}. ${scrubbed}`)}</p>`,
    `<p>${escaped(`E-mail, payments, alarms and webhooks were cut off: before the data came, the servers that run apps or workers (${data.closedServers}) were asked, and found and reached nothing outside.`)}</p>`,
    table(["", ...heads], rows),
    `<p>${escaped(`With ${megabytes(data.productionBytes)} in production the update takes about ${Math.round(productionUpdate(record))} s there at the rates measured here; creating servers takes up to half a minute longer than here. Work of less than 1 MB measures the start of programs, so it counts as it is.`)}</p>`,
  ];
}
