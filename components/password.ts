import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

/**
 * A generated password of letters and digits, so that it needs no quoting in a URL, a file or a shell.
 *
 * @returns the password as a secret
 */
export function createPassword(
  name: string,
  length: number,
  opts: pulumi.CustomResourceOptions & { readonly parent: pulumi.Resource },
): pulumi.Output<string> {
  return pulumi.secret(new random.RandomPassword(name, { length, special: false }, opts).result);
}
