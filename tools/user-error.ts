/** An error that is the user's to mend: its message says all, so it is shown without a stack trace. */
export class UserError extends Error {
  override readonly name = "UserError";
}
