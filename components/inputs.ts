/** Types of the arguments of the plugin's resources, derived from the plugin's schemas. */
import type * as pulumi from "@pulumi/pulumi";

type Leaf = string | number | boolean | null | undefined;

/** The argument for a value of a schema: texts, numbers, booleans and lists may be outputs of other resources. */
type InputOf<T> = [T] extends [Leaf]
  ? pulumi.Input<T>
  : T extends readonly (infer Each)[]
    ? pulumi.Input<readonly InputOf<Each>[]>
    : T extends Leaf
      ? T
      : InputsOf<T>;

/** The arguments of a resource whose schema describes `T`. */
export type InputsOf<T> = { readonly [Key in keyof T]: InputOf<T[Key]> };
