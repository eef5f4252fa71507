/** Hetzner's error responses: codes, HTTP statuses, envelope. */

export class HetznerError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: unknown;

  constructor(status: number, code: string, message: string, details: unknown = null) {
    super(message);
    this.name = "HetznerError";
    this.status = status;
    this.code = code;
    this.details = details;
  }

  get envelope(): unknown {
    return { error: { code: this.code, message: this.message, details: this.details } };
  }
}

export const notFound = (what: string, id: string | number): HetznerError =>
  new HetznerError(404, "not_found", `${what} with ID '${id}' not found`);

export const invalid = (field: string, message: string): HetznerError =>
  invalidFields([{ name: field, messages: [message] }]);

export function invalidFields(
  fields: readonly { readonly name: string; readonly messages: readonly string[] }[],
): HetznerError {
  const named = fields.map(({ name }) => `'${name}'`).join(", ");
  const message = `invalid input in field${fields.length > 1 ? "s" : ""} ${named}`;
  return new HetznerError(422, "invalid_input", message, { fields });
}

/** Error for an input that Hetzner refuses as a whole, by this text alone. */
export const refused = (message: string): HetznerError => new HetznerError(422, "invalid_input", message);

/** @param of what has the field, where Hetzner's text says so */
export const notUnique = (field = "name", of = ""): HetznerError =>
  new HetznerError(409, "uniqueness_error", `${of}${field} is already used`, { fields: [{ name: field }] });

export const conflict = (message: string): HetznerError => new HetznerError(409, "conflict", message);
export const inUse = (message: string): HetznerError => new HetznerError(422, "resource_in_use", message);
export const serviceError = (message: string): HetznerError => new HetznerError(422, "service_error", message);
export const locked = (what: string): HetznerError =>
  new HetznerError(423, "locked", `${what} is locked: an action on it is running`);

/** Hetzner's texts for what is protected from deletion, where they differ from the others. */
const protectedTexts: Readonly<Record<string, string>> = {
  network: "network is delete protected",
  floating_ip: "Floating IP deletion is protected",
  primary_ip: "Primary IP deletion is protected",
};
/** @param what its name in replies: `load_balancer` */
export const isProtected = (what: string): HetznerError =>
  new HetznerError(423, "protected", protectedTexts[what] ?? `${what.replace("_", " ")} deletion is protected`);

/** Error for a server type that is sold out, by Hetzner's text. */
export const soldOut = (): HetznerError => new HetznerError(412, "resource_unavailable", "error during placement");
/** Error for a location that takes no new servers, by Hetzner's text. */
export const locationClosed = (): HetznerError =>
  new HetznerError(412, "resource_unavailable", "server location disabled");
export const mustBeUnassigned = (what: string): HetznerError =>
  new HetznerError(422, "must_be_unassigned", `${what} must be unassigned before it is deleted`);
/** Error for a call or feature that the rehearsal cloud does not emulate. */
export const notEmulated = (what: string): HetznerError =>
  new HetznerError(501, "not_emulated", `${what} is not emulated by the rehearsal cloud`);
