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
  new HetznerError(422, "invalid_input", `invalid input in field '${field}'`, {
    fields: [{ name: field, messages: [message] }],
  });

export const notUnique = (field = "name"): HetznerError =>
  new HetznerError(409, "uniqueness_error", `${field} is already used`, { fields: [{ name: field }] });

export const conflict = (message: string): HetznerError => new HetznerError(409, "conflict", message);
export const inUse = (message: string): HetznerError => new HetznerError(422, "resource_in_use", message);
export const serviceError = (message: string): HetznerError => new HetznerError(422, "service_error", message);
export const locked = (what: string): HetznerError =>
  new HetznerError(423, "locked", `${what} is locked: an action on it is running`);
export const isProtected = (what: string): HetznerError =>
  new HetznerError(422, "protected", `${what} deletion is protected`);
export const unavailable = (message: string): HetznerError => new HetznerError(412, "resource_unavailable", message);
/** Error for a call or feature that the rehearsal cloud does not emulate. */
export const notEmulated = (what: string): HetznerError =>
  new HetznerError(501, "not_emulated", `${what} is not emulated by the rehearsal cloud`);
