export { UserError } from "../toolchain/src/run.ts";
