/** A program that ends too early must fail: the engine deletes what a program that ended well has not asked for. */
import * as pulumi from "@pulumi/pulumi";

/**
 * From now on the program fails when it comes to its end with resources that the engine has not taken on. A connection to the
 * engine that breaks off, for instance, ends a program without an error: nothing is left that it would wait for.
 *
 * @param end called then, with a message
 */
export function failUnlessWhole(end: (message: string) => void = fail): void {
  const pending = new Map<pulumi.Resource, string>();
  pulumi.runtime.registerStackTransformation(({ resource, type, name }) => {
    pending.set(resource, `${type} ${name}`);
    // It has its URN once its constructor is through, and the URN its value once the engine has the resource.
    queueMicrotask(() => {
      resource.urn.apply(() => pending.delete(resource));
    });
    return undefined;
  });
  // Before the SDK's own listener, which tells the engine that this is all.
  process.once("beforeExit", () => {
    if (pending.size === 0) return;
    const names = [...pending.values()];
    end(
      `The program ended before the engine had ${names.length} of its resources: ${names.slice(0, 5).join(", ")}` +
        `${names.length > 5 ? ", ..." : ""}. Nothing was deleted because of that; run it again.`,
    );
  });
}

/**
 * From now on the program ends when the engine that started it is gone. The SDK would report the broken pipe to the engine, by a
 * message that breaks the pipe again: the program of an update that was killed would keep a core busy for ever.
 */
export function endWithEngine(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit(1));
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
