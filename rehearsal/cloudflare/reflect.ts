/**
 * Polyfill of four `Reflect` metadata functions, which a dependency of the certificate library calls while it loads. Import
 * it before that library.
 */
type Metadata = Map<unknown, unknown>;

const known = new WeakMap<object, Metadata>();

const own = (target: object): Metadata => {
  const found = known.get(target) ?? new Map<unknown, unknown>();
  known.set(target, found);
  return found;
};

const functions = {
  defineMetadata: (key: unknown, value: unknown, target: object): void => {
    own(target).set(key, value);
  },
  getOwnMetadata: (key: unknown, target: object): unknown => own(target).get(key),
  hasOwnMetadata: (key: unknown, target: object): boolean => own(target).has(key),
  getMetadata: (key: unknown, target: object): unknown => {
    for (let each: unknown = target; each !== null && (typeof each === "object" || typeof each === "function");) {
      if (own(each).has(key)) return own(each).get(key);
      each = Object.getPrototypeOf(each);
    }
    return undefined;
  },
};

for (const [name, value] of Object.entries(functions)) {
  if (!(name in Reflect)) Object.defineProperty(Reflect, name, { value, configurable: true, writable: true });
}
