/** The class of errors that the user can correct. */

/** An error whose message says what to do; it is shown without a stack trace. */
export class UserError extends Error {
  override readonly name = "UserError";
}
