/**
 * Checks the client certificate that Cloudflare shows to the edges: once it has expired, they refuse every visitor.
 * Only the stack's state has its date; no server has the certificate.
 */
import { z } from "zod";
import type { Resource } from "../state.ts";
import type { Checked } from "./advice.ts";

/** It is valid for ten years, and an update in the last five of them replaces it: this is the last reminder. */
const reminderDays = 180;

const schema = z.object({ outputs: z.object({ validityEndTime: z.iso.datetime({ offset: true }) }) });

/** The end of the certificate's validity, with several zones of the first that ends; undefined while the state has none. */
export function clientCertificateEnd(resources: readonly Resource[]): Date | undefined {
  const [first] = resources
    .filter(({ urn }) => /::cloudflare-(.+-)?origin-pulls-client-certificate$/.test(urn))
    .flatMap((one) => schema.safeParse(one).data?.outputs.validityEndTime ?? [])
    .map((end) => new Date(end))
    .sort((one, other) => one.getTime() - other.getTime());
  return first;
}

/** Pure. @param end undefined: the state has no such certificate, or has not been read */
export function judgeClientCertificate(end: Date | undefined, now: Date): Checked {
  if (end === undefined) return { problem: "client-certificate-missing", detail: "the stack's state has none" };
  const days = Math.floor((end.getTime() - now.getTime()) / 86_400_000);
  const detail = `valid until ${end.toISOString().slice(0, 10)}, ${days} days`;
  return days < reminderDays ? { problem: "client-certificate-ends", detail } : { detail };
}
