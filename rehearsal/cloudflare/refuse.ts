/** How the API refuses a ruleset. */
import { ApiError } from "./envelope.ts";

/** @param pointer the JSON pointer of what is wrong */
export const refuse = (message: string, pointer: string, code = 20_120): ApiError =>
  new ApiError(400, code, message, pointer);
