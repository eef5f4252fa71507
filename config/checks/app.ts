/** Checks the folders that the app writes to. Pure. */
import { line } from "../line.ts";
import type { Settings } from "../schema.ts";

/** @returns the problems, one line each */
export const checkFolders = ({ app: { writable } }: Pick<Settings, "app">): string[] =>
  new Set(writable).size < writable.length ? [line("app.writable", writable, "each folder once")] : [];
