/**
 * Checks the certificate by which the edges know the platform's zone at Cloudflare: once it has ended, they refuse every visitor.
 * Only the stack's state has its date; no server has the certificate.
 */
import { z } from "zod";
import type { Resource } from "../state.ts";
import type { Checked } from "./advice.ts";

/** An update within the last five years of ten replaces it: this is the last reminder. */
const reminderDays = 180;

const schema = z.object({ outputs: z.object({ validityEndTime: z.iso.datetime({ offset: true }) }) });

/** The end of the certificate's validity; undefined while the state has none. */
export function clientCertificateEnd(resources: readonly Resource[]): Date | undefined {
  const found = resources.find(({ urn }) => urn.endsWith("::cloudflare-origin-pulls-client-certificate"));
  const { data } = schema.safeParse(found);
  return data && new Date(data.outputs.validityEndTime);
}

/** Pure. @param end undefined: the state has no such certificate, or has not been read */
export function judgeClientCertificate(end: Date | undefined, now: Date): Checked {
  if (end === undefined) return { problem: "client-certificate-missing", detail: "the stack's state has none" };
  const days = Math.floor((end.getTime() - now.getTime()) / 86_400_000);
  const detail = `valid until ${end.toISOString().slice(0, 10)}, ${days} days`;
  return days < reminderDays ? { problem: "client-certificate-ends", detail } : { detail };
}
