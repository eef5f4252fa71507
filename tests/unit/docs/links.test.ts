/** Every link of README and docs leads somewhere, and every page is in the navigation. Building the site checks the latter again. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { parse } from "yaml";
import { pages, pageText } from "../../../testing/documented.ts";

const withoutCode = (text: string): string => text.replace(/^ *```[^]*?^ *```$/gm, "").replace(/`[^`\n]*`/g, "`code`");

/** The anchor of a heading, as MkDocs and GitHub make it. */
const anchorOf = (heading: string): string =>
  heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replace(/[\s]+/g, "-");

const anchorsOf = (page: string): Set<string> =>
  new Set(
    [
      ...pageText(page)
        .replace(/^ *```[^]*?^ *```$/gm, "")
        .matchAll(/^#+ (.+)$/gm),
    ].map(([, heading = ""]) => anchorOf(heading)),
  );

test.each([...pages(), "SECURITY.md"])("the links of %s lead to pages, files and headings that exist", (page) => {
  const broken = [...withoutCode(pageText(page)).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = ""]) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? page : relative("", join(dirname(page), path));
    if (!existsSync(file)) return [`${target}: there is no ${file}`];
    if (anchor === undefined || statSync(file).isDirectory()) return [];
    return anchorsOf(file).has(anchor) ? [] : [`${target}: ${file} has no heading for #${anchor}`];
  });
  expect(broken).toEqual([]);
});

test("every page of docs is in the navigation of mkdocs.yml, once", () => {
  const { nav } = parse(readFileSync("mkdocs.yml", "utf8")) as { nav: unknown };
  const listed = leaves(nav).map((path) => join("docs", path));
  expect(listed.filter((path, index) => listed.indexOf(path) !== index)).toEqual([]);
  // A page that is missing: add it to the section of mkdocs.yml whose reader needs it.
  expect(pages().filter((page) => page.startsWith("docs/") && !listed.includes(page))).toEqual([]);
  expect(listed.filter((path) => !existsSync(path))).toEqual([]);
});

const leaves = (nav: unknown): string[] =>
  typeof nav === "string" ? [nav] : typeof nav === "object" && nav !== null ? Object.values(nav).flatMap(leaves) : [];
