/** Makes a program that ends too early fail: after a success the engine deletes every resource that was not registered. */
import * as pulumi from "@pulumi/pulumi";

/**
 * From now on the program fails when it ends before the engine has registered all of its resources. A lost connection to the
 * engine, for instance, ends a program without an error: the event loop is empty then.
 *
 * @param end called with a message when that happens
 */
export function failUnlessWhole(end: (message: string) => void = fail): void {
  const pending = new Map<pulumi.Resource, string>();
  pulumi.runtime.registerStackTransformation(({ resource, type, name }) => {
    pending.set(resource, `${type} ${name}`);
    // The `urn` output exists once the constructor has returned, and resolves once the engine has the resource.
    queueMicrotask(() => {
      resource.urn.apply(() => pending.delete(resource));
    });
    return undefined;
  });
  // Before the SDK's own listener, which tells the engine that the program is complete.
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
 * From now on the program ends when the engine that started it has gone. The SDK would report the broken pipe to the engine in
 * a message that breaks the pipe again: after a killed update the program would keep a core busy for ever.
 */
export function endWithEngine(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => process.exit(1));
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
