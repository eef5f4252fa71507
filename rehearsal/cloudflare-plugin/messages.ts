/** Converts between the plugin protocol's messages and plain values: inputs, states, check failures, diffs. */
import struct from "google-protobuf/google/protobuf/struct_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import { isRecord } from "../../common/record.ts";
import { unwrapSecrets } from "../../common/secrets.ts";
import type { Change, Failure } from "./plan.ts";
import type { Values } from "./values.ts";

/** `urn:pulumi:stack::project::parent$type::name` */
export const typeOf = (urn: string): string => (urn.split("::")[2] ?? "").split("$").pop() ?? "";

export function valuesOf(message: struct.Struct | undefined): Values {
  // The engine wraps secrets in the provider's configuration even when the plugin does not accept secrets.
  const value = unwrapSecrets(message?.toJavaScript() ?? {});
  return isRecord(value) ? value : {};
}

export const structOf = (values: Values): struct.Struct =>
  struct.Struct.fromJavaScript(JSON.parse(JSON.stringify(values)) as Record<string, struct.JavaScriptValue>);

export function failureOf({ property, reason }: Failure): messages.CheckFailure {
  const failure = new messages.CheckFailure();
  failure.setProperty(property);
  failure.setReason(reason);
  return failure;
}

export function diffOf(found: readonly Change[]): messages.DiffResponse {
  const { Kind } = messages.PropertyDiff;
  const kinds = {
    add: [Kind.ADD, Kind.ADD_REPLACE],
    delete: [Kind.DELETE, Kind.DELETE_REPLACE],
    update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
  } as const;
  const response = new messages.DiffResponse();
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  response.setChanges(found.length === 0 ? DIFF_NONE : DIFF_SOME);
  const roots = (changes: readonly Change[]) => [...new Set(changes.map(({ path }) => path.split(/[.[]/)[0] ?? ""))];
  response.setDiffsList(roots(found));
  response.setReplacesList(roots(found.filter(({ replaces }) => replaces)));
  response.setHasdetaileddiff(true);
  for (const { path, kind, replaces } of found) {
    const detail = new messages.PropertyDiff();
    detail.setKind(kinds[kind][replaces ? 1 : 0]);
    response.getDetaileddiffMap().set(path, detail);
  }
  return response;
}
