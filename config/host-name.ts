/** Host names as a setting has them: in lower case and without the dot of the DNS root. Pure. */
import { isIP } from "node:net";
import { domainToASCII } from "node:url";

/** As DNS providers return it. */
export const normalHostName = (name: string): string => name.toLowerCase().replace(/\.$/, "");

const label = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/** What is wrong with a host name that visitors or a certificate are to use; undefined: nothing. */
export function hostNameProblem(name: string): string | undefined {
  const example = "a host name such as orion.example.com";
  if (isIP(name) !== 0) return `${example}, not an address: certificates and DNS records need a name`;
  if (/^[a-z]+:\/\//.test(name))
    return `${example}, without ${name.slice(0, name.indexOf("/") + 2)} and without a path`;
  const ascii = domainToASCII(name);
  if (/[^\0-\x7f]/.test(name) && ascii !== "") return `${example}; write this one as DNS has it: ${ascii}`;
  const labels = name.split(".");
  if (name.length > 253 || !labels.every((one) => label.test(one))) return example;
  if (/^(\d+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? ""))
    return `${example}, whose last label is no number: browsers take this one for an address`;
  if (labels.length === 1) return `${example}, with a dot: a single label is not a name of the Internet`;
  return undefined;
}

/** Names that the Internet does not have: RFC 6761, RFC 6762, RFC 8375, and `internal`, which ICANN has set aside. */
const privateSuffix = /(?:^|\.)(local|localhost|localdomain|internal|invalid|onion|home\.arpa)$/;

/** Why a host name cannot be one of the Internet; undefined: it can. Tests and rehearsals use those of `.example` and `.test`. */
export function privateNameProblem(name: string): string | undefined {
  const [, suffix] = privateSuffix.exec(name) ?? [];
  return suffix === undefined
    ? undefined
    : `a host name of the Internet such as orion.example.com, not one of .${suffix}`;
}
