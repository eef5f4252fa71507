/** Checks that an e-mail backend has the settings that it needs. Pure. */
import type { Settings } from "../schema.ts";

type Email = Settings["email"];

const examples = {
  smtpHost: "a host name such as smtp.example.com",
  mailgunDomain: "a host name such as mg.example.com",
  sesRegion: "a region of AWS such as eu-central-1",
  sesAccessKeyId: "the id of an access key of AWS",
} as const;

const needed: Readonly<
  Record<Email["backend"], { readonly keys: readonly (keyof typeof examples)[]; apiKey: boolean }>
> = {
  console: { keys: [], apiKey: false },
  smtp: { keys: ["smtpHost"], apiKey: false },
  sendgrid: { keys: [], apiKey: true },
  mailgun: { keys: ["mailgunDomain"], apiKey: true },
  ses: { keys: ["sesRegion", "sesAccessKeyId"], apiKey: true },
};

/** @returns the missing settings, one line each; without them the app refuses to start */
export function checkEmail(email: Email, hasApiKey: boolean): string[] {
  const { keys, apiKey } = needed[email.backend];
  const missing = (key: string, how: string) =>
    `orion:${key}: is needed when orion:email.backend is ${email.backend}; ${how}`;
  return [
    ...keys.filter((key) => email[key] === undefined).map((key) => missing(`email.${key}`, examples[key])),
    ...(apiKey && !hasApiKey ? [missing("emailApiKey", "pulumi config set --secret emailApiKey ...")] : []),
  ];
}
