/** A generated password of letters and digits, so that it needs no quoting in a URL, a file or a shell. */
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

/**
 * @param keepers values whose change makes a new one; by default it stays
 * @returns the password as a secret
 */
export function createPassword(
  name: string,
  length: number,
  opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
  keepers?: Readonly<Record<string, string>>,
): pulumi.Output<string> {
  const password = new random.RandomPassword(
    name,
    { length, special: false, ...(keepers && { keepers: { ...keepers } }) },
    opts,
  );
  return pulumi.secret(password.result);
}
