/** Docker build contexts: selects their files, hashes them, and packs them into a reproducible tar archive. */
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

export interface ContextFile {
  /** Path inside the context, with slashes. */
  readonly path: string;
  /** Contents of a file, or the target of a symbolic link. */
  readonly content: Buffer;
  readonly kind: "file" | "executable" | "link";
}

/**
 * The files of a folder, sorted by path, without those that its `.dockerignore` excludes.
 *
 * Of the mode only "executable" counts, as in git, so that clones with different umasks agree. Empty folders are left out.
 *
 * @param below Take only this file or subfolder, for a context that is part of a larger folder.
 */
export function contextFiles(folder: string, below = ""): ContextFile[] {
  const ignores = dockerIgnore(readIfThere(join(folder, ".dockerignore")));
  const files: ContextFile[] = [];
  const visit = (path: string): void => {
    const absolute = join(folder, path);
    const stats = lstatSync(absolute);
    if (stats.isDirectory()) {
      if (ignores.folder(path)) return;
      for (const name of readdirSync(absolute)) visit(path === "" ? name : `${path}/${name}`);
    } else if (!ignores.file(path)) {
      if (stats.isSymbolicLink()) {
        files.push({ path, content: Buffer.from(readlinkSync(absolute)), kind: "link" });
      } else if (stats.isFile()) {
        files.push({ path, content: readFileSync(absolute), kind: stats.mode & 0o100 ? "executable" : "file" });
      }
    }
  };
  visit(below);
  return inOrder(files);
}

/** SHA-256, in hexadecimal, over paths, kinds and contents of files and any further strings. */
export function hashOf(files: readonly ContextFile[], ...facts: readonly string[]): string {
  const hash = createHash("sha256");
  // Each part is preceded by its length, so that different lists never yield the same bytes.
  const add = (part: string | Buffer) => hash.update(`${Buffer.byteLength(part)}:`).update(part);
  for (const { path, content, kind } of inOrder(files)) {
    add(path);
    add(kind);
    add(content);
  }
  hash.update("facts");
  facts.forEach(add);
  return hash.digest("hex");
}

/**
 * Packs files into a tar archive: owned by root, with the given modification time, and the same bytes for the same files.
 *
 * @param seconds Modification time of every entry, in seconds since 1970.
 */
export function contextArchive(files: readonly ContextFile[], seconds: number): Buffer {
  const blocks = inOrder(files).flatMap((file) => {
    const content = file.kind === "link" ? Buffer.alloc(0) : file.content;
    const padding = Buffer.alloc((tarBlock - (content.length % tarBlock)) % tarBlock);
    return [tarHeader(file, content.length, seconds), content, padding];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * tarBlock)]);
}

const tarBlock = 512;
const byPath = (a: ContextFile, b: ContextFile) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);
const inOrder = (files: readonly ContextFile[]): ContextFile[] => [...files].sort(byPath);

/** The header block of one entry in the ustar format. */
function tarHeader({ path, content, kind }: ContextFile, size: number, seconds: number): Buffer {
  const { prefix, name } = tarPath(path);
  const header = Buffer.alloc(tarBlock);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, "0")}\0`;
  header.write(name, 0);
  header.write(octal(kind === "file" ? 0o644 : 0o755, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(seconds, 11), 136);
  header.write(" ".repeat(8), 148);
  header.write(kind === "link" ? "2" : "0", 156);
  if (kind === "link") header.write(content.toString("utf8"), 157, 100);
  header.write("ustar\x0000", 257);
  header.write(prefix, 345);
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${octal(checksum, 6)} `, 148);
  return header;
}

/** Splits a path into the two fields of the ustar format, of 155 and 100 bytes. */
function tarPath(path: string): { prefix: string; name: string } {
  if (Buffer.byteLength(path) <= 100) return { prefix: "", name: path };
  for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
    const prefix = path.slice(0, slash);
    const name = path.slice(slash + 1);
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return { prefix, name };
  }
  throw new Error(`the path '${path}' is too long for a build context: shorten it to less than 255 bytes`);
}

const readIfThere = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");

/** The rules of a `.dockerignore`: a later line overrides an earlier one, and `!` includes a file again. */
function dockerIgnore(text: string): { folder: (path: string) => boolean; file: (path: string) => boolean } {
  const rules = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ keep: line.startsWith("!"), pattern: globPattern(line.replace(/^!/, "")) }));
  // The Dockerfile is always included, as Docker does: it decides the image.
  const file = (path: string) =>
    path !== "Dockerfile" && rules.reduce((left, { keep, pattern }) => (pattern.test(path) ? !keep : left), false);
  // A folder can be skipped as a whole only if no `!` rule can include something below it.
  const mayReturn = rules.some(({ keep }) => keep);
  return { file, folder: (path) => path !== "" && !mayReturn && file(path) };
}

/** A `.dockerignore` pattern as a regular expression; it matches a path and everything below it. */
function globPattern(glob: string): RegExp {
  const parts = glob.replace(/^\/+|\/+$/g, "").match(/\*\*\/?|\*|\?|\[[^\]]+\]|[^*?[]+|\[/g) ?? [];
  const source = parts.map((part) => {
    if (part === "**/") return "(?:.*/)?";
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    if (part === "?") return "[^/]";
    if (/^\[.+\]$/.test(part)) return part;
    return part.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${source.join("")}(?:/.*)?$`);
}
