/** Value schemas that several sections share, such as host names, address ranges, paths, images and server types. */
import { z } from "zod";
import { rangeProblem } from "../address-range.ts";
import { hostNameProblem, normalHostName } from "../host-name.ts";

/** A text in a form that a message can describe, with an example of it. */
export const text = (pattern: RegExp, what: string, example: string) =>
  z
    .string()
    .regex(pattern, `${what} such as ${example}`)
    .meta({ patternErrorMessage: what.replace(/,$/, ""), examples: [example] });

export const certificates = z
  .string()
  .regex(/^-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----\s*$/, "certificates in PEM")
  .meta({
    patternErrorMessage: "certificates in PEM",
    examples: ["-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----"],
  });
export const port = z.int().min(1).max(65535);
export const count = (least: number, most: number) => z.int().min(least).max(most);
export const memoryMb = z.int().min(32).max(262_144);
export const cidr = z
  .union([z.cidrv4(), z.cidrv6()], "an address range such as 203.0.113.0/24")
  .refine((range) => rangeProblem(range) === undefined, { error: ({ input }) => rangeProblem(String(input)) ?? "" })
  .meta({ patternErrorMessage: "an address range", examples: ["203.0.113.0/24"] });
/** In lower case and without a dot at its end, as DNS providers return it. */
export const hostname = z
  .string()
  .overwrite(normalHostName)
  .refine((name) => hostNameProblem(name) === undefined, {
    error: ({ input }) => hostNameProblem(normalHostName(String(input))) ?? "",
  })
  .meta({
    format: "hostname",
    pattern: "^[^\\s/:]+\\.[^\\s/:]+$",
    patternErrorMessage: "a host name",
    examples: ["orion.example.com"],
  });
export const emailAddress = z
  .email()
  .meta({ patternErrorMessage: "an e-mail address", examples: ["orders@example.com"] });
export const imageReference = text(
  /^[a-z0-9][a-z0-9._-]*(:\d+)?(\/[a-z0-9._-]+)*(:[\w][\w.-]{0,127})?(@sha256:[0-9a-f]{64})?$/,
  "an image reference",
  "registry.example.com/team/app:1.2.3",
);
/** A program and its arguments, which no shell reads. */
export const commandWords = z.array(z.string().regex(/^[^\r\n\0]+$/, "a word of a command"));
/** The prefix of official images at a mirror: host, port and path. */
export const registry = text(
  /^[a-z0-9][a-z0-9.-]*(:\d+)?(\/[a-z0-9._-]+)*\/?$/,
  "the address of a registry without https://,",
  "registry.example.com/mirror",
);
/** The part of an image's name before the first slash. */
export const registryHost = text(/^[a-z0-9][a-z0-9.-]*(:\d+)?$/, "host and port of a registry", "registry.example.com");
/** A path of the app without a trailing slash, and with what is below it. */
export const path = text(/^(\/(?!\.{1,2}(\/|$))[A-Za-z0-9._~-]+)+$/, "a path", "/admin");
/** Not the headers that nginx and the app need for a response itself. */
export const browserHeader = z
  .string()
  .regex(
    /^(?!(Content-(Length|Type|Encoding)|Transfer-Encoding|Connection|Set-Cookie|Location|X-XSS-Protection)$)[A-Z][A-Za-z0-9]*(-[A-Z][A-Za-z0-9]*)*$/,
    "the name of a header for browsers, spelled like Content-Security-Policy",
  )
  .meta({ patternErrorMessage: "the name of a header for browsers" });
/** `$`, `"` and `\` mean something to nginx. */
export const headerValue = z
  .string()
  .regex(/^[\x20\x21\x23\x25-\x5b\x5d-\x7e]*$/, 'a text of one line without $, " and \\')
  .meta({ patternErrorMessage: 'a text of one line without $, " and \\' });
export const variableName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]*$/, "a variable's name of upper-case letters, digits and _")
  .meta({ patternErrorMessage: "a variable's name", examples: ["FEATURE_FLAGS"] });
/** A Hetzner server type, or several in order of preference for when the first is sold out. */
export const serverTypes = z.array(text(/^[a-z]{2,4}\d{2}$/, "a server type", "cpx32")).min(1);

/** Servers that do the same work, spread over `orion:hetzner.locations` in turn. A placement group has room for ten. */
export const serverPool = z.strictObject({
  count: count(1, 10).describe("Number of these servers; they are spread over `orion:hetzner.locations` in turn."),
  types: serverTypes.describe(
    "Types of these servers at Hetzner, in order of preference: a new server gets the first one that is in stock.",
  ),
});
