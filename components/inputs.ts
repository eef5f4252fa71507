/** Arguments of the plugin's resources, derived from the schemas that the plugin checks them by. */
import type * as pulumi from "@pulumi/pulumi";

type Leaf = string | number | boolean | null | undefined;

/** What a resource is given for a value of its schema: texts, numbers, booleans and lists may be outputs of other resources. */
type InputOf<T> = [T] extends [Leaf]
  ? pulumi.Input<T>
  : T extends readonly (infer Each)[]
    ? pulumi.Input<readonly InputOf<Each>[]>
    : T extends Leaf
      ? T
      : InputsOf<T>;

/** The arguments of a resource whose schema describes `T`. */
export type InputsOf<T> = { readonly [Key in keyof T]: InputOf<T[Key]> };
