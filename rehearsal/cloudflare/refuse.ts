/** Makes the error with which the API refuses an invalid ruleset. */
import { ApiError } from "./envelope.ts";

/** @param pointer JSON pointer to the invalid field */
export const refuse = (message: string, pointer: string, code = 20_120): ApiError =>
  new ApiError(400, code, message, pointer);
