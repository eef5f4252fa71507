/** An image of another program is refused by its name, before anything starts with it. */
import { checkImages } from "../../../../config/checks/images.ts";
import { settingsOf } from "../../support/settings.ts";

const problemsOf = (images: Readonly<Record<string, string>>) => {
  const settings = settingsOf("mvp");
  return checkImages({ ...settings, images: { ...settings.images, ...images } });
};

test.each([
  ["redis", "postgres:15", "postgres"],
  ["postgres", "registry.example.com:5000/mirror/redis:7-bookworm", "redis"],
  ["database", "redis:7", "redis"],
  ["pooler", "nginx:1", "nginx"],
  ["nginx", `haproxy@sha256:${"a".repeat(64)}`, "haproxy"],
  ["haproxy", "certbot/certbot:v5", "certbot"],
  ["rclone", "docker.io/library/python:3.11", "python"],
  ["certbot", "rclone/rclone", "rclone"],
])("images.%s: %s is that of %s", (key, reference, has) => {
  expect(problemsOf({ [key]: reference })).toEqual([
    `orion:images.${key}: got "${reference}", allowed: an image that runs what ${key} is for; this one is named as that of ${has}`,
  ]);
  expect(() => settingsOf("mvp", { images: { [key]: reference } })).toThrow(`orion:images.${key}: got`);
});

test.each([
  ["redis", "valkey/valkey:8"],
  ["postgres", "pgvector/pgvector:pg15"],
  ["database", "registry.example.com/orion/postgres:15"],
  ["pooler", "registry.example.com/orion/haproxy:3.2"],
  ["registry", "registry.example.com/postgres"],
])("images.%s may be %s", (key, reference) => {
  expect(problemsOf({ [key]: reference })).toEqual([]);
});
