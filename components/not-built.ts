import * as pulumi from "@pulumi/pulumi";

/** Something that a phase asks for and this version of the program does not make: said plainly, before anything is changed. */
export class NotBuiltError extends pulumi.RunError {
  constructor(what: string) {
    super(`${what} is not built yet in this version; use phase development, or a version whose CHANGELOG lists it`);
  }
}
